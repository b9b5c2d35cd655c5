//! Where a store file stands, and whether a store may stand there.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use recollect_model::{Error, Result};

/// File systems on which locks do not reach the other machines, or memory is not shared with them.
const NETWORK: [&str; 22] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb2",
    "smb3",
    "smbfs",
    "ncpfs",
    "afs",
    "afpfs",
    "ceph",
    "lustre",
    "beegfs",
    "glusterfs",
    "davfs",
    "fuse.sshfs",
    "fuse.s3fs",
    "fuse.rclone",
    "fuse.gcsfuse",
    "fuse.glusterfs",
    "fuse.cephfs",
    "fuse.davfs",
    "fuse.smbnetfs",
];

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    Empty,
    File,
}

/// Resolves links, so that every process finds the same lock files, and refuses places where no store can be.
pub(crate) fn resolve(path: &Path) -> Result<(PathBuf, Found)> {
    let shown = path.display();
    let found = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            return Err(Error::invalid(format!("{shown} is a folder")).with_hint("give the path of a file in it"));
        }
        Ok(metadata) if !metadata.is_file() => return Err(Error::invalid(format!("{shown} is no regular file"))),
        Ok(metadata) if metadata.len() == 0 => Found::Empty,
        Ok(_) => Found::File,
        Err(error) if error.kind() == ErrorKind::NotFound => Found::Nothing,
        Err(error) => return Err(unreachable_path(path, error)),
    };
    let resolved = if found == Found::Nothing {
        let Some(name) = path.file_name() else {
            return Err(Error::invalid(format!("{shown} names no file")));
        };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        match fs::canonicalize(folder) {
            Ok(folder) => folder.join(name),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::not_found(format!("the folder {} does not exist", folder.display()))
                    .with_hint("create the folder first"));
            }
            Err(error) => return Err(unreachable_path(folder, error)),
        }
    } else {
        fs::canonicalize(path).map_err(|error| unreachable_path(path, error))?
    };
    if resolved.to_str().is_none() {
        return Err(Error::invalid(format!("the path {shown} is not UTF-8")));
    }
    refuse_network(&resolved)?;
    Ok((resolved, found))
}

fn unreachable_path(path: &Path, error: std::io::Error) -> Error {
    let said = format!("{} cannot be reached", path.display());
    match error.kind() {
        ErrorKind::PermissionDenied => Error::permission_denied(said).with_source(error),
        ErrorKind::InvalidInput | ErrorKind::InvalidFilename | ErrorKind::NotADirectory => {
            Error::invalid(said).with_source(error)
        }
        _ => Error::io(said).with_source(error),
    }
}

/// Locks must hold for every process that can reach the file. Where the system does not list its mounts (it is no
/// Linux) this cannot be asked.
fn refuse_network(path: &Path) -> Result<()> {
    let Ok(mounts) = fs::read_to_string("/proc/self/mountinfo") else { return Ok(()) };
    match file_system(&mounts, path) {
        Some(kind) if NETWORK.contains(&kind) => Err(Error::unsupported(format!(
            "{} is on a network file system ({kind}), where file locks do not protect a store",
            path.display()
        ))
        .with_hint("put the store on a local disk")),
        _ => Ok(()),
    }
}

/// The type of the file system that holds a path, from the text of `/proc/self/mountinfo` (proc(5)). Of mounts over
/// each other the last one counts.
fn file_system<'m>(mounts: &'m str, path: &Path) -> Option<&'m str> {
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let Some((mount, kind)) = line.split_once(" - ") else { continue };
        let (Some(point), Some(kind)) = (mount.split(' ').nth(4), kind.split(' ').next()) else { continue };
        let point = unescape(point);
        let depth = Path::new(&point).components().count();
        if path.starts_with(&point) && best.is_none_or(|(deepest, _)| depth >= deepest) {
            best = Some((depth, kind));
        }
    }
    best.map(|(_, kind)| kind)
}

/// Blanks, tabs, line ends and backslashes stand as three octal digits.
fn unescape(point: &str) -> String {
    point.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
        40 27 0:40 / /srv/me/far\\040away rw shared:1 - nfs4 server:/x rw\n\
        41 40 0:41 / /srv/me/far\\040away/near rw - tmpfs tmpfs rw\n\
        42 27 0:42 / /over rw - ext4 /dev/vdb rw\n\
        43 42 0:43 / /over rw - fuse.sshfs host: rw\n";

    #[test]
    fn the_deepest_and_latest_mount_decides() {
        let kind = |path: &str| file_system(MOUNTS, Path::new(path));
        assert_eq!(kind("/srv/me/store.db"), Some("ext4"));
        assert_eq!(kind("/srv/me/far away/store.db"), Some("nfs4"));
        assert_eq!(kind("/srv/me/far awayness/store.db"), Some("ext4"));
        assert_eq!(kind("/srv/me/far away/near/store.db"), Some("tmpfs"));
        assert_eq!(kind("/over/store.db"), Some("fuse.sshfs"));
        assert!(NETWORK.contains(&"nfs4") && NETWORK.contains(&"fuse.sshfs") && !NETWORK.contains(&"ext4"));
    }
}
