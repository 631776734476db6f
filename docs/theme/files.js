// A block that begins with a language and a path is a file: the book shows its path, which is not visible otherwise.
for (const code of document.querySelectorAll("pre > code")) {
  const path = [...code.classList].find(
    (name) => !name.startsWith("language-") && /[./]/.test(name),
  );
  if (path) {
    const name = document.createElement("p");
    name.className = "file-name";
    name.textContent = path;
    code.parentElement.before(name);
  }
}
