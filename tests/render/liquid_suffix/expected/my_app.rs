mod my_app;
