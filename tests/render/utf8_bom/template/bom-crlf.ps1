# {{project-name}}
