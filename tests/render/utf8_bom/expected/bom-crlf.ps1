# my-app
