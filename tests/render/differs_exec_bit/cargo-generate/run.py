my-app
