//! Whether a folder is on a network file system. There, locks do not always work, and the log's index, which programs
//! share through memory, never does.

use std::path::Path;

/// File system numbers as Linux reports them (`linux/magic.h` and the file systems' own sources).
const KINDS: [(u64, &str); 12] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "SMB"),
    (0xfe53_4d42, "SMB"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x0102_1997, "9P"),
    (0x00c3_6400, "Ceph"),
    (0x0bd0_0bd0, "Lustre"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
];
const FUSE: u64 = 0x6573_5546;
/// Userspace file systems that use the network. Others are on local disks.
const FUSE_KINDS: [(&str, &str); 10] = [
    ("sshfs", "sshfs"),
    ("rclone", "rclone"),
    ("s3fs", "S3"),
    ("gcsfuse", "GCS"),
    ("davfs", "WebDAV"),
    ("curlftpfs", "FTP"),
    ("glusterfs", "GlusterFS"),
    ("ceph", "Ceph"),
    ("gvfsd", "GVfs"),
    ("smbnetfs", "SMB"),
];

/// What the user should know about a store on such a file system.
pub fn network_advice(kind: &str) -> String {
    format!(
        "the message store is on a network file system ({kind}), where it can be damaged; \
         --data-dir or SKCHAT_DATA_DIR chooses a folder on this machine"
    )
}

/// The name of a network file system by its number; for userspace file systems by the type of the mount, such as
/// `fuse.sshfs`.
fn name(kind: u64, mount: &str) -> Option<&'static str> {
    if kind == FUSE {
        let found = FUSE_KINDS.iter().find(|(part, _)| mount.contains(part));
        return found.map(|(_, name)| *name);
    }
    KINDS.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}

/// The type of the mount that a path is on, from the text of `/proc/self/mountinfo`.
fn mount_type<'a>(table: &'a str, path: &Path) -> Option<&'a str> {
    let mounts = table.lines().filter_map(|line| {
        let (mount, rest) = line.split_once(" - ")?;
        let point = mount.split(' ').nth(4)?;
        path.starts_with(point).then_some((point.len(), rest.split(' ').next()?))
    });
    // A later mount hides an earlier one at the same mount point.
    mounts.max_by_key(|(length, _)| *length).map(|(_, kind)| kind)
}

/// The network file system that a folder is on, if it is on one. Blocks while such a file system does not answer.
#[cfg(target_os = "linux")]
pub fn network_file_system(folder: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(folder).ok()?.f_type;
    // Some of the numbers do not fit into the signed type that the system uses.
    let kind = u64::try_from(i128::from(kind) & 0xffff_ffff).ok()?;
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let folder = std::fs::canonicalize(folder).ok()?;
    name(kind, mount_type(&table, &folder).unwrap_or_default())
}

/// Only Linux reports this.
#[cfg(not(target_os = "linux"))]
pub fn network_file_system(_folder: &Path) -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_their_numbers() {
        for (kind, mount, known) in [
            (0x6969, "nfs4", Some("NFS")),
            (0x517b, "smb", Some("SMB")),
            (0xff53_4d42, "cifs", Some("SMB")),
            (0xfe53_4d42, "smb3", Some("SMB")),
            (0x5346_414f, "afs", Some("AFS")),
            (0x0102_1997, "9p", Some("9P")),
            (0x00c3_6400, "ceph", Some("Ceph")),
            (FUSE, "fuse.sshfs", Some("sshfs")),
            (FUSE, "fuse.rclone", Some("rclone")),
            (FUSE, "fuse.gvfsd-fuse", Some("GVfs")),
            // Encrypted folders and other disks of this machine.
            (FUSE, "fuseblk", None),
            (FUSE, "fuse.gocryptfs", None),
            (0xef53, "ext4", None),
            (0x9123_683e, "btrfs", None),
            (0x0102_1994, "tmpfs", None),
            (0x794c_7630, "overlay", None),
        ] {
            assert_eq!(name(kind, mount), known, "{kind:x} {mount}");
        }
    }

    #[test]
    fn a_path_is_on_the_deepest_and_last_mount_above_it() {
        let table = "21 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n\
                     22 21 0:40 / /home/anna rw - fuse.sshfs joe@h: rw\n\
                     23 21 0:41 / /home/anna rw shared:7 - nfs4 h:/x rw\n\
                     24 21 0:42 / /home/ann rw - tmpfs none rw\n";
        let of = |path: &str| mount_type(table, Path::new(path));
        assert_eq!(of("/home/anna/.local/share"), Some("nfs4"));
        assert_eq!(of("/home/annabel"), Some("ext4"));
        assert_eq!(mount_type("odd\n", Path::new("/")), None);
    }

    #[test]
    fn a_folder_of_this_machine_is_on_no_network() {
        assert_eq!(network_file_system(Path::new("/proc")), None);
        assert_eq!(network_file_system(Path::new("/nowhere")), None);
    }
}
