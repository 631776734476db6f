/** A package registry on loopback: serves the packages of a folder, each as NAME-VERSION.tgz, and prints its address. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2] ?? ".";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request) {
    const path = new URL(request.url).pathname.slice(1);
    if (path.endsWith(".tgz"))
      return new Response(Bun.file(join(folder, path)));
    const versions = readdirSync(folder)
      .filter((file) => file.startsWith(`${path}-`))
      .map((file) => file.slice(path.length + 1, -".tgz".length))
      .sort();
    const described = versions.map((version) => {
      const tarball = new URL(`/${path}-${version}.tgz`, request.url).href;
      return [version, { name: path, version, dist: { tarball } }];
    });
    return versions.length === 0
      ? new Response("not found", { status: 404 })
      : Response.json({
          name: path,
          "dist-tags": { latest: versions.at(-1) },
          versions: Object.fromEntries(described),
        });
  },
});
console.log(`listening on ${server.url.origin}`);
