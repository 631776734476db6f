import { two } from "./two.js";

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/health") return Response.json({ status: "ok" });
    if (pathname === "/pictures")
      return Response.json({ bound: "PICTURES" in env });
    const now = new Date();
    return new Response(
      `${two(now.getUTCHours())}:${two(now.getUTCMinutes())}\n`,
    );
  },
};
