mod a;
fn main( ) {
  {% if project-name %}println!("{{project-name}}",  );{% endif %}
      if true { a::a( ) }
}
