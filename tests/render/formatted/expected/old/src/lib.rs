pub fn async() {}
