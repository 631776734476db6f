{{project-name}}
