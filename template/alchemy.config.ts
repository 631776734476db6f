{%- assign kv = kv_bindings | default: "" -%}
{%- assign d1 = d1_bindings | default: "" -%}
{%- assign r2 = r2_bindings | default: "" -%}
{%- if compiler_settings == "app" -%}
// @ts-nocheck The flags in tsconfig.json are the app's.
{% endif -%}
import { defineConfig } from "./scripts/release/config.ts";

/**
 * What this app is made of and where it runs. Deploying, verifying, promoting and rolling back read everything from
 * here; docs/PROMOTION.md explains each field.
 */
export default defineConfig({
  name: "{{project-name}}",
{%- if github_repository != "" %}
  repository: "{{github_repository}}",
{%- endif %}
{%- assign suffix = app_suffix | default: "" %}
{%- if suffix != "" %}
  // This repository holds several apps: the names of this one's GitHub environments and workflows end like this.
  suffix: "{{suffix}}",
{%- endif %}

  resources: {
    api: {
      type: "worker",
      script: "./{{entry | default: "src/api.ts"}}",
    },
{%- if with_kv %}
    cache: {
      type: "kv",
    },
{%- endif %}
{%- if kv != "" %}
{%- assign names = kv | split: "," %}
{%- for name in names %}
    {{name | downcase}}: {
      type: "kv",
    },
{%- endfor %}
{%- endif %}
{%- if d1 != "" %}
{%- assign names = d1 | split: "," %}
{%- for name in names %}
    {{name | downcase}}: {
      type: "d1",
    },
{%- endfor %}
{%- endif %}
{%- if r2 != "" %}
{%- assign names = r2 | split: "," %}
{%- for name in names %}
    {{name | downcase}}: {
      type: "r2",
    },
{%- endfor %}
{%- endif %}
  },

  // In the order of promotion: pushes to main go to the first profile, every other one is promoted from it.
  profiles: {
{%- if domain != "" %}
    staging: {
      domain: "staging.{{domain}}",
    },
    prod: {
      domain: "{{domain}}",
    },
{%- else %}
    // With `domain: "staging.example.com"` instead of workers.dev, once the domain is a zone in your Cloudflare account.
    staging: {},
    prod: {},
{%- endif %}
  },
});
