use super::*;
use std::io::Cursor;

/// A header with a correct checksum.
fn header(name: &str, kind: u8, size: u64) -> Vec<u8> {
    let mut block = vec![0u8; 512];
    block[..name.len().min(100)].copy_from_slice(&name.as_bytes()[..name.len().min(100)]);
    block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    block[148..156].copy_from_slice(b"        ");
    block[156] = kind;
    block[257..263].copy_from_slice(b"ustar\0");
    let sum: u64 = block.iter().map(|b| u64::from(*b)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
}

fn member(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
    let mut out = header(name, kind, content.len() as u64);
    out.extend_from_slice(content);
    out.resize(out.len().div_ceil(512) * 512, 0);
    out
}

fn entries(tar: &[u8]) -> Vec<TarEntry> {
    let mut found = Vec::new();
    index(&mut Cursor::new(tar), tar.len() as u64, &mut |entry| {
        found.push(entry);
        true
    })
    .unwrap();
    found
}

/// Name and content of each member, and the reason for each that was skipped.
fn listing(tar: &[u8]) -> Vec<String> {
    let line = |entry| match entry {
        TarEntry::Member(m) => {
            let content = &tar[m.offset as usize..(m.offset + m.size) as usize];
            let cut = if m.is_cut { " (cut)" } else { "" };
            format!("{} {}{cut}", m.name, String::from_utf8_lossy(content))
        }
        TarEntry::Skipped { name, why } => format!("- {name} {why}"),
    };
    entries(tar).into_iter().map(line).collect()
}

#[test]
fn members_are_found_at_their_offsets_whatever_stands_between_them() {
    let tar = [
        member("./messages.json", b'0', b"{}"),
        member("media", b'5', b""),
        member("media/a.1.png", 0, &[b'x'; 600]),
        vec![0; 1024],
    ]
    .concat();
    let found = listing(&tar);
    assert_eq!(found[0], "messages.json {}");
    assert_eq!(found[1], "- media a folder");
    assert_eq!(found[2], format!("media/a.1.png {}", "x".repeat(600)));
    assert_eq!(found.len(), 3);
}

#[test]
fn links_devices_and_names_that_lead_elsewhere_are_refused() {
    let tar = [
        member("link", b'2', b""),
        member("hard", b'1', b""),
        member("null", b'3', b""),
        member("../../etc/passwd", b'0', b"x"),
        member("/etc/passwd", b'0', b"x"),
        member("._messages.json", b'0', b"x"),
        member("sparse", b'S', b"x"),
        member("last.json", b'0', b"ok"),
    ]
    .concat();
    let found = listing(&tar);
    assert!(found[..7].iter().all(|line| line.starts_with("- ")), "{found:?}");
    assert_eq!(found[7], "last.json ok");
}

#[test]
fn long_names_and_sizes_come_from_the_headers_before() {
    let long = format!("{}/messages.json", "d".repeat(150));
    let pax = format!("path={long}\n");
    let record = format!("{} {pax}", pax.len() + 4);
    let tar = [
        member("././@LongLink", b'L', format!("{long}\0").as_bytes()),
        member("short", b'0', b"one"),
        member("PaxHeader", b'x', record.as_bytes()),
        member("short", b'0', b"two"),
    ]
    .concat();
    assert_eq!(listing(&tar), [format!("{long} one"), format!("{long} two")]);
}

#[test]
fn a_cut_member_gives_what_is_there_and_a_damaged_header_costs_only_itself() {
    let mut tar = [member("a.json", b'0', b"one"), member("b.json", b'0', &[b'x'; 900])].concat();
    tar[3] ^= 0x20;
    tar.truncate(512 * 3 + 700);
    let found = listing(&tar);
    assert_eq!(found[0], "-  the tar is damaged here");
    assert_eq!(found[1], format!("b.json {} (cut)", "x".repeat(700)));
}

#[test]
fn any_truncation_and_any_byte_is_survived() {
    let tar = [
        member("a.json", b'0', b"one"),
        member("x", b'x', b"12 path=abc\n"),
        member("b", b'0', b"2"),
    ]
    .concat();
    for length in 0..tar.len() {
        entries(&tar[..length]);
    }
    for at in 0..tar.len() {
        for value in [0, 0x7f, 0x80, 0xff, b'9'] {
            let mut changed = tar.clone();
            changed[at] = value;
            assert!(entries(&changed).len() <= 5);
        }
    }
}
