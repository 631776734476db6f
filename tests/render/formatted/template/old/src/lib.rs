pub fn async( ) { }
