use fusion_core::deliver::*;
use fusion_core::location::Location;
use fusion_core::progress::Stop;
use fusion_core::settings::Settings;
fn main() {
    let mut o = DeliverOptions::default();
    o.fuse.connect.settings = Settings::from_env();
    let mut verb = String::new();
    let mut to = String::new();
    let mut src: Vec<String> = vec![];
    let mut a = std::env::args().skip(1);
    verb = a.next().unwrap();
    to = a.next().unwrap();
    while let Some(x) = a.next() {
        if let Some(n) = x.strip_prefix("--") {
            let (n, v) = n.split_once('=').unwrap_or((n, "true"));
            o.set(n, v).unwrap();
        } else {
            src.push(x)
        }
    }
    let stop = Stop::new();
    let r = if verb == "push" {
        let s: Vec<Location> = src.iter().map(|s| Location::parse(s).unwrap()).collect();
        push(&s, &to, &o, None, &stop)
    } else {
        let s: Vec<&str> = src.iter().map(|s| s.as_str()).collect();
        index_create(&to, &s, &o, None, &stop)
    };
    match r {
        Ok(r) => print!("{}", r.to_json()),
        Err(e) => {
            println!("{}", e.report.to_json());
            eprintln!("{:?}", e.error);
            std::process::exit(1)
        }
    }
}
