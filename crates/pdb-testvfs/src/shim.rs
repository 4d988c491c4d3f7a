//! The calls of SQLite: each is passed on to SQLite's own file system, after the disk was asked and before it is told.
//!
//! A file of ours is a header, followed by the file of the file system below. All that is unsafe is in this file.
#![expect(unsafe_code, reason = "SQLite calls a file system through pointers")]

use std::{
    ffi::{CStr, OsStr, c_char, c_int, c_void},
    os::unix::ffi::OsStrExt,
    path::Path,
    ptr,
    sync::mpsc,
};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use crate::{disk::Disk, faults::WriteFate};

/// What lies before the file of the file system below. SQLite aligns files to eight bytes.
#[repr(C, align(8))]
struct Header {
    base: sqlite3_file,
    /// A `Watched` of `Box::into_raw`, or null for a file that is not watched.
    watched: *mut Watched,
}

/// A file in the folder that is watched.
struct Watched {
    disk: Disk,
    name: String,
}

/// What a file system of ours has in `pAppData`.
struct Shim {
    disk: Disk,
    below: *mut sqlite3_vfs,
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};

/// Makes a disk the default file system of SQLite, above the one of the operating system. It stays so as long as the process runs.
pub(crate) fn register(disk: Disk) {
    // SAFETY: the name is a C string, and file systems of SQLite are never removed. What is registered lives for ever, too.
    unsafe {
        let below = ffi::sqlite3_vfs_find(c"unix".as_ptr());
        assert!(!below.is_null(), "SQLite has a file system of Unix");
        let shim = Box::into_raw(Box::new(Shim { disk, below }));
        // The other functions of the file system below do not look at the `sqlite3_vfs` that they get.
        let vfs = Box::into_raw(Box::new(sqlite3_vfs {
            szOsFile: size_of::<Header>() as c_int + (*below).szOsFile,
            pNext: ptr::null_mut(),
            zName: c"pdb-testvfs".as_ptr(),
            pAppData: shim.cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            ..ptr::read(below)
        }));
        assert_eq!(ffi::sqlite3_vfs_register(vfs, 1), ffi::SQLITE_OK);
    }
}

/// The file of the file system below.
unsafe fn below(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: `file` is one of ours, which SQLite made as long as `szOsFile` says.
    unsafe { file.cast::<Header>().add(1).cast() }
}

unsafe fn watched<'f>(file: *mut sqlite3_file) -> Option<&'f Watched> {
    // SAFETY: `open` has set it, and `close`, the last call of a file, frees it.
    unsafe { (*file.cast::<Header>()).watched.as_ref() }
}

/// Calls a method of the file below.
macro_rules! pass_on {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        let file = below($file);
        let method = (*(*file).pMethods).$method.expect("the file system of Unix has all methods");
        method(file $(, $argument)*)
    }};
}

unsafe fn path_of<'n>(name: *const c_char) -> Option<&'n Path> {
    // SAFETY: SQLite passes null, or a C string.
    (!name.is_null()).then(|| Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes())))
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: as SQLite promises, and `register` has set `pAppData`.
    unsafe {
        let shim = &*(*vfs).pAppData.cast::<Shim>();
        let header = file.cast::<Header>();
        (*header).base.pMethods = ptr::null();
        (*header).watched = ptr::null_mut();
        let found = path_of(name).and_then(|path| shim.disk.lock().name_of(path));
        let opens = (*shim.below).xOpen.expect("a file system opens files");
        let result = opens(shim.below, name, below(file), flags, out_flags);
        if (*below(file)).pMethods.is_null() {
            return result;
        }
        assert!((*(*below(file)).pMethods).iVersion >= 3, "methods of the file system of Unix");
        (*header).base.pMethods = &METHODS;
        if let Some(name) = found.filter(|_| result == ffi::SQLITE_OK) {
            shim.disk.lock().opened(&name, || content(file));
            (*header).watched = Box::into_raw(Box::new(Watched { disk: shim.disk.clone(), name }));
        }
        result
    }
}

/// Reads a file that was just opened. By another handle it could not be: closing that would give up the locks of this process.
unsafe fn content(file: *mut sqlite3_file) -> Vec<u8> {
    let mut length = 0;
    // SAFETY: the buffer has the length that is asked for.
    unsafe {
        if pass_on!(file, xFileSize, &mut length) != ffi::SQLITE_OK || length == 0 {
            return Vec::new();
        }
        let mut bytes = vec![0; length as usize];
        let read = pass_on!(file, xRead, bytes.as_mut_ptr().cast(), length as c_int, 0);
        assert_eq!(read, ffi::SQLITE_OK, "a file of {length} bytes can be read");
        bytes
    }
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: as SQLite promises, and `register` has set `pAppData`.
    unsafe {
        let shim = &*(*vfs).pAppData.cast::<Shim>();
        let deletes = (*shim.below).xDelete.expect("a file system deletes files");
        let mut watch = shim.disk.lock();
        let found = path_of(name).and_then(|path| watch.name_of(path));
        let result = deletes(shim.below, name, sync_folder);
        if let Some(name) = found.filter(|_| result == ffi::SQLITE_OK) {
            watch.deleted(&name, sync_folder != 0);
        }
        result
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: the file is one of ours; this is its last call.
    unsafe {
        let result = pass_on!(file, xClose);
        let header = file.cast::<Header>();
        if !(*header).watched.is_null() {
            let watched = Box::from_raw((*header).watched);
            watched.disk.lock().closed(&watched.name);
            (*header).watched = ptr::null_mut();
        }
        result
    }
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    to: *mut c_void,
    length: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: the file is one of ours.
    unsafe {
        if watched(file).is_some_and(|watched| watched.disk.lock().read_fails()) {
            return ffi::SQLITE_IOERR_READ;
        }
        pass_on!(file, xRead, to, length, at)
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    length: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: the file is one of ours, and SQLite has `length` bytes at `from`.
    unsafe {
        let Some(watched) = watched(file) else { return pass_on!(file, xWrite, from, length, at) };
        let bytes = std::slice::from_raw_parts(from.cast::<u8>(), length as usize);
        let mut watch = watched.disk.lock();
        let (taken, refusal) = match watch.fate_of_write(&watched.name, at as u64, bytes.len()) {
            WriteFate::Done => (bytes, None),
            WriteFate::CutByFullDisk(taken) => (&bytes[..taken], Some(ffi::SQLITE_FULL)),
            WriteFate::CutByError(taken) => (&bytes[..taken], Some(ffi::SQLITE_IOERR_WRITE)),
        };
        if !taken.is_empty() {
            let result = pass_on!(file, xWrite, from, taken.len() as c_int, at);
            if result != ffi::SQLITE_OK {
                return result;
            }
            watch.written(&watched.name, at as u64, taken);
        }
        refusal.unwrap_or(ffi::SQLITE_OK)
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    // SAFETY: the file is one of ours.
    unsafe {
        let Some(watched) = watched(file) else { return pass_on!(file, xTruncate, length) };
        let mut watch = watched.disk.lock();
        if watch.truncation_fails() {
            return ffi::SQLITE_IOERR_TRUNCATE;
        }
        let result = pass_on!(file, xTruncate, length);
        if result == ffi::SQLITE_OK {
            watch.truncated(&watched.name, length as u64);
        }
        result
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: the file is one of ours.
    unsafe {
        let Some(watched) = watched(file) else { return pass_on!(file, xSync, flags) };
        let delay = watched.disk.lock().sync_delay();
        if let Some(delay) = delay {
            // Others go on meanwhile. The channel is only a timer.
            let (_sender, never) = mpsc::channel::<()>();
            let _ = never.recv_timeout(delay);
        }
        let mut watch = watched.disk.lock();
        let fails = watch.sync_fails();
        // The log is the disk here: nobody has to wait for the one of the machine, and an image is of what the log says.
        watch.synced(&watched.name, !fails);
        if fails { ffi::SQLITE_IOERR_FSYNC } else { ffi::SQLITE_OK }
    }
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, control: c_int, argument: *mut c_void) -> c_int {
    // SAFETY: the file is one of ours.
    unsafe { pass_on!(file, xFileControl, control, argument) }
}

/// Defines methods that only pass on.
macro_rules! passed_on {
    ($($function:ident = $method:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {$(
        unsafe extern "C" fn $function(file: *mut sqlite3_file $(, $argument: $type)*) $(-> $result)? {
            // SAFETY: the file is one of ours.
            unsafe { pass_on!(file, $method $(, $argument)*) }
        }
    )*};
}

passed_on! {
    file_size = xFileSize(length: *mut sqlite3_int64) -> c_int;
    lock = xLock(kind: c_int) -> c_int;
    unlock = xUnlock(kind: c_int) -> c_int;
    check_reserved_lock = xCheckReservedLock(is_locked: *mut c_int) -> c_int;
    sector_size = xSectorSize() -> c_int;
    device_characteristics = xDeviceCharacteristics() -> c_int;
    shm_map = xShmMap(page: c_int, size: c_int, extend: c_int, at: *mut *mut c_void) -> c_int;
    shm_lock = xShmLock(offset: c_int, count: c_int, flags: c_int) -> c_int;
    shm_barrier = xShmBarrier();
    shm_unmap = xShmUnmap(delete: c_int) -> c_int;
    fetch = xFetch(at: sqlite3_int64, length: c_int, page: *mut *mut c_void) -> c_int;
    unfetch = xUnfetch(at: sqlite3_int64, page: *mut c_void) -> c_int;
}
