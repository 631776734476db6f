fn V() { let x = vec![{ 1 }]; if a % b == 0 { println!("{}", x) } } // } } %} }} % }
#V#%V%{ V }
