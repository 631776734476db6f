mod a;
fn main() {
	println!("my-app",);
	if true {
		a::a()
	}
}
