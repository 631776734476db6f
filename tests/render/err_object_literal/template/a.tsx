<a style={{ color: "red" }}/>
