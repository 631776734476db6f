//! Every way to a repository: HTTP, ssh, rewrites and proxies; and passwords in an address, which nothing keeps or shows.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use super::World;
use super::server::{Door, Server};
use crate::support::place::Said;
use walkdir::WalkDir;

#[test]
fn over_http_and_a_second_time_without_the_server() {
    let world = World::new();
    let server = Server::start(&world.0.path(""), Door::Open);
    let url = server.url("", "t/.git");
    world.new_app("one", &url).ended(0);
    assert_eq!(world.0.read("one/a.txt"), "Hello, one!\n");
    assert!(world.lock("one").contains(&format!("source = \"{url}\"")), "{}", world.lock("one"));
    assert!(world.lock("one").contains(&format!("revision = \"{}\"", world.head())));
    world.next("Hello again, {{ project-name }}!\n");
    world.app(&["check", "one", "--upstream"]).ended(1).has("the template is newer");
    world.app(&["upgrade", "one"]).ended(0).has("updated   a.txt");
    assert_eq!(world.0.read("one/a.txt"), "Hello again, one!\n");
    drop(server);

    let said = world.new_app("two", &url).ended(0).warns("warning[S004]: cannot fetch `").warns(&world.head()[..12]);
    assert!(said.err.contains("using the copy that was fetched before"), "{}", said.err);
    assert_eq!(world.0.read("two/a.txt"), "Hello again, two!\n");
    world.app(&["upgrade", "one"]).ended(0).has("already up to date").warns("warning[S004]");
    // An old copy cannot say that there is nothing newer.
    world.app(&["check", "one", "--upstream"]).ended(2).warns("error[S004]");
    world.app(&["check", "one", "--pristine"]).ended(0);
    // Nor can it say what was never asked of it.
    world.app(&["new", "three", "--git", &url, "--branch", "other"]).ended(2).warns("error[S004]");
}

#[test]
fn credentials_are_used_and_never_told() {
    let world = World::new();
    let server = Server::start(&world.0.path(""), Door::Password);
    let started = Instant::now();
    let said = world
        .new_app("one", &server.url("", "t/.git"))
        .ended(2)
        .warns("error[S004]: cannot fetch")
        .warns("git ls-remote");
    assert!(started.elapsed() < Duration::from_secs(30) && !world.0.has("one"), "{}", said.err);
    let mut told = vec![said.err];
    let wrong = world.new_app("one", &server.url("ann:wr0ng@", "t/.git")).ended(2);
    assert!(!wrong.err.contains("wr0ng"), "{}", wrong.err);

    let url = server.url("ann:s3cr3t@", "t/.git");
    let said = world.new_app("one", &url).ended(0);
    told.extend([said.out, said.err, world.lock("one")]);
    assert!(world.lock("one").contains(&format!("source = \"{}\"", server.url("", "t/.git"))));
    // From then on, git's own credentials are asked.
    let settings = "[credential]\n\thelper = \"!f() { echo username=ann; echo password=s3cr3t; }; f\"\n";
    let settings = world.settings(settings);
    let said = world.command(&["check", "one", "--upstream"]).env("GIT_CONFIG_GLOBAL", settings).output().unwrap();
    Said::from(said).ended(0);
    world.app(&["new", "two", "--git", &url, "--branch", "nope"]).ended(2).warns("error[S005]");
    drop(server);
    let said = world.new_app("two", &url).ended(0).warns("warning[S004]");
    told.push(said.err);
    for entry in WalkDir::new(world.0.path("cache")) {
        let entry = entry.unwrap();
        told.push(entry.path().display().to_string());
        if entry.file_type().is_file() {
            told.push(String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned());
        }
    }
    assert!(told.iter().all(|text| !text.contains("s3cr3t") && !text.contains("ann:")));
}

/// A stand-in for ssh: it notes the host, and runs on this machine what it should run on the other.
fn ssh(world: &World) -> String {
    world.0.write("ssh", "#!/bin/sh\nfor last; do host=$before; before=$last; done\necho \"$host\" >\"$HOME/host\"\nexec sh -c \"$last\"\n");
    std::fs::set_permissions(world.0.path("ssh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    world.0.path("ssh").display().to_string()
}

#[test]
fn over_ssh_and_through_the_users_rewrites() {
    let world = World::new();
    let ssh = ssh(&world);
    let path = world.0.path("t");
    let run = |arguments: &[&str], settings: &Path| {
        let mut command = world.command(arguments);
        command.env("GIT_SSH_COMMAND", &ssh).env("GIT_SSH_VARIANT", "ssh").env("GIT_CONFIG_GLOBAL", settings);
        Said::from(command.output().unwrap())
    };
    let none = Path::new("/dev/null");
    let [scp, url] =
        [format!("git@example.invalid:{}", path.display()), format!("ssh://git@example.invalid{}", path.display())];
    for (app, source) in [("one", &scp), ("two", &url)] {
        run(&["new", app, "--git", source], none).ended(0);
        assert_eq!(world.0.read("host").trim(), "git@example.invalid");
        assert!(world.lock(app).contains(&format!("source = \"{source}\"")));
        run(&["check", app, "--upstream"], none).ended(0);
    }
    let settings = format!(
        "[url \"ssh://git@example.invalid{}/\"]\n\tinsteadOf = https://github.com/\n",
        world.0.path("").display()
    );
    let settings = world.settings(&settings);
    world.0.rename("t", "owner/t.git");
    run(&["new", "three", "--git", "gh:owner/t"], &settings).ended(0);
    assert!(world.lock("three").contains("source = \"https://github.com/owner/t.git\""), "{}", world.lock("three"));
}

#[test]
fn an_address_that_is_refused_is_named_without_its_password() {
    let world = World::new();
    for address in [
        "https://ann:hunter2@x.invalid",
        "ftp://ann:hunter2@x.invalid/a",
        "ann:hunter2@x.invalid/a",
        "https//ann:hunter2@x/a",
    ] {
        let said = world.app(&["new", "one", "--git", address]).ended(2).warns("error[S00");
        assert!(!said.err.contains("hunter2"), "{}", said.err);
    }
    // Which flag it was meant for is easily mistaken.
    let said = world.app(&["new", "one", "--path", "https://ann:hunter2@x.invalid/a"]).ended(2);
    assert!(said.err.contains("`https://x.invalid/a`") && said.err.contains("--git"), "{}", said.err);
}

#[test]
fn nothing_that_is_secret_in_an_address_is_kept() {
    let world = World::new();
    let server = Server::start(&world.0.path(""), Door::Password);
    let plain = server.url("", "t/.git");
    let mut told = Vec::new();
    let mut add = |said: Said| told.extend([said.out, said.err]);
    add(world.new_app("one", &server.url("ann:s3cr3t@", "t/.git")).ended(0));
    let lock = world.lock("one");
    for address in [
        format!("{plain}?private_token=s3cr3t"),
        format!("{plain}#s3cr3t"),
        format!("{plain};password=s3cr3t"),
        server.url("s3cr3t@", "t/.git"),
        server.url("ann:s3cr3t%40", "t/.git"),
        server.url("ann:s3cr3t/x@", "t/.git"),
        server.url("ann:s3cr3t?x@", "t/.git"),
        format!("ann:s3cr3t/x@{plain}"),
        format!("https//ann:s3cr3t@{plain}"),
        format!("{}?private_token=s3cr3t", plain.replace("http://", "htp://")),
        format!("{}?private_token=s3cr3t", plain.replace("http://", "")),
    ] {
        // Of some of them, there is a copy.
        add(world.new_app("two", &address));
        drop(std::fs::remove_dir_all(world.0.path("two")));
        add(world.app(&["new", "two", "--path", &address]).ended(2));
        // As the path of a project.
        if address.contains("://") {
            add(world.app(&["new", &address, "--path", "t"]).ended(2));
            add(world.app(&["check", &address]).ended(2));
            add(world.app(&["new", "two", &address]).ended(2));
            add(world.app(&["completions", &address]).ended(2));
        }
        add(world.app(&["upgrade", "one", "--git", &address]));
        // A lock that somebody wrote by hand.
        world.0.write("one/.create-app/lock.toml", lock.replace(&plain, &address));
        for arguments in [&["check", "one", "--upstream"][..], &["check", "one", "--json"], &["diff", "one", "--stat"]]
        {
            add(world.app(arguments));
        }
        // The file itself is as it was found.
        world.0.write("one/.create-app/lock.toml", &lock);
    }
    for place in ["cache", "one", "two"] {
        for entry in WalkDir::new(world.0.path(place)).into_iter().flatten() {
            told.push(entry.path().display().to_string());
            if entry.file_type().is_file() {
                told.push(String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned());
            }
        }
    }
    for text in told {
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}

#[test]
fn the_proxy_of_the_users_configuration_is_used() {
    use std::io::{BufRead as _, BufReader};

    let world = World::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    world.0.write("config", format!("[http]\n\tproxy = http://{}\n", listener.local_addr().unwrap()));
    let proxy = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = String::new();
        BufReader::new(&stream).read_line(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        request
    });
    let mut command = world.command(&["new", "app", "--vcs", "none", "--git", "http://template.invalid/t"]);
    command.env("GIT_CONFIG_GLOBAL", world.0.path("config")).env_remove("NO_PROXY").env_remove("no_proxy");
    Said::from(command.output().unwrap()).ended(2).warns("403");
    assert!(proxy.join().unwrap().starts_with("GET http://template.invalid/t/info/refs"));
}
