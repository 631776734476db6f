//! The table: where a list is, whether its order has a meaning, and by what its elements are known.

use super::{Identity, Kind};

/// Lists in some files, at some keys.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) files: &'static [&'static str],
    pub(super) keys: &'static [&'static str],
    pub(super) kind: Kind,
    pub(super) identity: Identity<'static>,
}

const fn row(
    files: &'static [&'static str],
    keys: &'static [&'static str],
    kind: Kind,
    identity: Identity<'static>,
) -> Row {
    Row { files, keys, kind, identity }
}

const COMPOSE: &[&str] = &["compose*.yml", "compose*.yaml", "docker-compose*.yml", "docker-compose*.yaml"];
const WRANGLER: &[&str] = &["wrangler*.json", "wrangler*.jsonc", "wrangler*.toml"];
const ACTIONS: &[&str] = &["*.yml", "*.yaml"];
const TSCONFIG: &[&str] = &["tsconfig*.json", "jsconfig*.json"];
const CARGO: &[&str] = &["Cargo.toml"];
const PACKAGE: &[&str] = &["package.json"];
const PYTHON: &[&str] = &["pyproject.toml"];
const ESLINT: &[&str] = &[".eslintrc", ".eslintrc.*"];
const BIOME: &[&str] = &["biome.json", "biome.jsonc"];
const TURBO: &[&str] = &["turbo.json", "turbo.jsonc"];

const WHOLE: Identity<'static> = Identity::Keys(&[]);
const BINDING: Identity<'static> = Identity::Keys(&["binding", "name", "queue", "service"]);

/// The first row that fits counts.
pub(super) const LISTS: &[Row] = &[
    // Compose.
    row(COMPOSE, &["**.environment", "**.labels", "**.build.args", "**.extra_hosts"], Kind::Set, Identity::Variable),
    row(COMPOSE, &["**.ports", "**.expose"], Kind::Set, Identity::Port),
    row(COMPOSE, &["services.**.volumes", "**.devices", "**.tmpfs", "*.volumes"], Kind::Set, Identity::Volume),
    row(COMPOSE, &["**.secrets", "**.configs"], Kind::Set, Identity::Keys(&["target", "source"])),
    row(
        COMPOSE,
        &["**.depends_on", "**.networks", "**.profiles", "**.cap_add", "**.cap_drop", "**.aliases"],
        Kind::Set,
        WHOLE,
    ),
    row(COMPOSE, &["**.command", "**.entrypoint", "**.healthcheck.test"], Kind::Single, WHOLE),
    // Wrangler.
    row(WRANGLER, &["**.migrations"], Kind::Sequence, Identity::Keys(&["tag"])),
    row(WRANGLER, &["**.routes"], Kind::Set, Identity::Keys(&["pattern"])),
    row(
        WRANGLER,
        &[
            "**.kv_namespaces",
            "**.d1_databases",
            "**.r2_buckets",
            "**.services",
            "**.producers",
            "**.queues",
            "**.bindings",
            "**.hyperdrive",
            "**.vectorize",
            "**.workflows",
            "**.analytics_engine_datasets",
            "**.dispatch_namespaces",
            "**.mtls_certificates",
            "**.pipelines",
            "**.secrets_store_secrets",
            "**.send_email",
        ],
        Kind::Set,
        BINDING,
    ),
    row(WRANGLER, &["**.consumers"], Kind::Set, Identity::Keys(&["queue"])),
    row(WRANGLER, &["**.tail_consumers"], Kind::Set, Identity::Keys(&["service"])),
    row(WRANGLER, &["**.compatibility_flags", "**.crons"], Kind::Set, WHOLE),
    // Python and Cargo.
    row(
        PYTHON,
        &[
            "project.dependencies",
            "project.optional-dependencies.*",
            "dependency-groups.*",
            "build-system.requires",
            "tool.**.dev-dependencies",
            "tool.**.constraint-dependencies",
            "tool.**.override-dependencies",
            "tool.hatch.envs.**.dependencies",
        ],
        Kind::Set,
        Identity::Package,
    ),
    row(PYTHON, &["project.classifiers", "project.keywords"], Kind::Set, WHOLE),
    row(CARGO, &["features.*", "**.features", "**.keywords", "**.categories"], Kind::Set, WHOLE),
    row(CARGO, &["workspace.members", "workspace.exclude", "workspace.default-members"], Kind::Set, WHOLE),
    row(CARGO, &["package.include", "package.exclude"], Kind::Patterns, WHOLE),
    row(CARGO, &["bin", "example", "test", "bench"], Kind::Set, Identity::Keys(&["name"])),
    // JavaScript packages.
    row(PACKAGE, &["files", "workspaces", "workspaces.packages", "sideEffects"], Kind::Patterns, WHOLE),
    row(
        PACKAGE,
        &[
            "keywords",
            "os",
            "cpu",
            "bundledDependencies",
            "bundleDependencies",
            "trustedDependencies",
            "pnpm.onlyBuiltDependencies",
        ],
        Kind::Set,
        WHOLE,
    ),
    row(&["pnpm-workspace.yaml"], &["packages"], Kind::Patterns, WHOLE),
    row(&["pnpm-workspace.yaml"], &["onlyBuiltDependencies", "ignoredBuiltDependencies"], Kind::Set, WHOLE),
    row(TURBO, &["**.inputs", "**.outputs"], Kind::Patterns, WHOLE),
    row(
        TURBO,
        &["**.dependsOn", "**.env", "**.passThroughEnv", "globalDependencies", "globalEnv", "globalPassThroughEnv"],
        Kind::Set,
        WHOLE,
    ),
    // TypeScript.
    row(TSCONFIG, &["compilerOptions.paths.*"], Kind::Sequence, WHOLE),
    row(TSCONFIG, &["compilerOptions.lib", "compilerOptions.types", "include", "exclude", "files"], Kind::Set, WHOLE),
    row(TSCONFIG, &["references"], Kind::Set, Identity::Keys(&["path"])),
    // Editors and linters.
    row(&[".vscode/tasks.json"], &["tasks"], Kind::Set, Identity::Keys(&["label", "taskName"])),
    row(&[".vscode/launch.json"], &["configurations", "compounds"], Kind::Set, Identity::Keys(&["name"])),
    row(&[".vscode/*.json"], &["inputs"], Kind::Set, Identity::Keys(&["id"])),
    row(&[".vscode/extensions.json"], &["recommendations", "unwantedRecommendations"], Kind::Set, WHOLE),
    row(&["devcontainer.json", ".devcontainer.json"], &["**.extensions", "forwardPorts"], Kind::Set, WHOLE),
    row(ESLINT, &["overrides"], Kind::Sequence, Identity::Keys(&["files"])),
    row(ESLINT, &["**.rules.*"], Kind::Single, WHOLE),
    row(ESLINT, &["plugins"], Kind::Set, WHOLE),
    row(PACKAGE, &["eslintConfig.overrides"], Kind::Sequence, Identity::Keys(&["files"])),
    row(PACKAGE, &["eslintConfig.**.rules.*"], Kind::Single, WHOLE),
    row(BIOME, &["overrides"], Kind::Sequence, Identity::Keys(&["includes", "include"])),
    row(BIOME, &["**.includes", "**.include", "**.ignore"], Kind::Patterns, WHOLE),
    // Workflows of GitHub Actions, and what is like them.
    row(ACTIONS, &["jobs.*.steps", "runs.steps", "steps", "**.steps"], Kind::Sequence, Identity::Step),
    row(
        ACTIONS,
        &["**.matrix.include", "**.matrix.exclude"],
        Kind::Set,
        Identity::Composite(&[
            "name",
            "os",
            "runner",
            "runs-on",
            "platform",
            "arch",
            "target",
            "version",
            "node",
            "node-version",
            "python",
            "python-version",
            "go",
            "java",
            "ruby",
            "php",
            "rust",
            "toolchain",
        ]),
    ),
    row(ACTIONS, &["**.strategy.matrix.*", "jobs.*.needs", "jobs.*.runs-on"], Kind::Set, WHOLE),
    row(
        ACTIONS,
        &["on.*.paths", "on.*.paths-ignore", "on.*.branches", "on.*.branches-ignore", "on.*.tags", "on.*.tags-ignore"],
        Kind::Patterns,
        WHOLE,
    ),
    row(ACTIONS, &["on.schedule"], Kind::Set, Identity::Keys(&["cron"])),
    row(ACTIONS, &["on", "on.*.types", "on.*.workflows"], Kind::Set, WHOLE),
    row(&["dependabot.yml"], &["updates"], Kind::Set, Identity::Composite(&["package-ecosystem", "directory"])),
    row(&[".pre-commit-config.yaml"], &["repos"], Kind::Sequence, Identity::Keys(&["repo"])),
];

/// Maps in which the order of keys has a meaning.
pub(super) const ORDERED_MAPS: &[(&[&str], &[&str])] = &[(
    PACKAGE,
    &[
        "exports.**",
        "imports.**",
        "publishConfig.exports.**",
        "publishConfig.imports.**",
        "typesVersions.**",
        "jest.moduleNameMapper",
    ],
)];

/// Maps whose entries do not depend on each other: both sides may add such a map, with other entries.
pub(super) const OPEN_MAPS: &[&str] = &[
    "**.dependencies",
    "**.devDependencies",
    "**.dev-dependencies",
    "**.build-dependencies",
    "**.peerDependencies",
    "**.peerDependenciesMeta",
    "**.optionalDependencies",
    "**.optional-dependencies",
    "**.dependency-groups",
    "**.overrides",
    "**.resolutions",
    "**.catalog",
    "**.catalogs",
    "**.engines",
    "**.scripts",
    "**.features",
    "**.env",
    "**.environment",
    "**.vars",
    "**.labels",
    "**.annotations",
    "**.paths",
    "**.imports",
    "**.define",
    "**.alias",
    "jobs",
    "services",
    "volumes",
    "networks",
    "secrets",
    "configs",
    "profile",
    "tool",
];

/// Keys of one map that exclude each other.
pub(super) const EXCLUSIVE: &[(&str, &str)] = &[
    ("run", "uses"),
    ("steps", "uses"),
    ("branches", "branches-ignore"),
    ("paths", "paths-ignore"),
    ("tags", "tags-ignore"),
    ("git", "path"),
    ("workspace", "version"),
    ("workspace", "path"),
    ("workspace", "git"),
    ("branch", "tag"),
    ("branch", "rev"),
    ("rev", "tag"),
    ("route", "routes"),
    ("network_mode", "networks"),
];
