/* What a power cut would leave of a folder, recorded while a process runs (LD_PRELOAD).
 *
 * A disk owes a program only what it has synced: the bytes that a file had when an fsync of it began, and
 * the names that a folder had when an fsync of the folder began. This file keeps exactly that, beside the
 * real folder, in POWERLOSS_SHADOW (on the same file system):
 *
 *     pins/INODE   a second name of every file of the folder, so that no inode number is used again
 *     dirs/INODE   an empty file for every folder inside it
 *     data/INODE   the synced bytes of a file
 *     names        one line for every change of a name, in order, and one for every synced folder
 *     syncs        one line for every synced file: who, when, how large
 *     unsupported  what was done and is not understood here; then nothing of the record can be trusted
 *
 * POWERLOSS_APPENDED is the suffix of files that only grow: of them only the new bytes are copied.
 * POWERLOSS_IGNORED is the suffix of files whose syncs are not recorded: a disk that lies.
 * POWERLOSS_SLOW_MS is how long every sync of an appended file takes at least: a slow disk.
 *
 * Everything is done by system calls of its own, because the names below are these very functions.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 2 * NAME_MAX + 200, BLOCK = 1 << 16, HIGH_FD = 500 };

static int shadow = -1, names_fd, syncs_fd;
static dev_t device;
static long changes; /* lines in `names` that are not about a sync */
static const char *appended, *ignored;
static long slow_ms;
static pthread_mutex_t naming = PTHREAD_MUTEX_INITIALIZER; /* a change of a name and its line are one */
static pthread_mutex_t growing = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t copying = PTHREAD_MUTEX_INITIALIZER;

static void fail(const char *what, const char *about) {
    dprintf(2, "powerloss shim: %s %s: %s\n", what, about, strerror(errno));
    _exit(99);
}

static int sys_open(int at, const char *path, int flags, int mode) {
    return (int)syscall(SYS_openat, at, path, flags, mode);
}

static int high(int fd) { /* out of the way of programs that expect low numbers */
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
    close(fd);
    return moved;
}

static void line(int fd, const char *format, ...) {
    char text[LINE];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length >= LINE || write(fd, text, (size_t)length) != length) fail("cannot record", text);
}

static void unsupported(const char *what, const char *path) {
    int fd = sys_open(shadow, "unsupported", O_WRONLY | O_CREAT | O_APPEND, 0600);
    line(fd, "%s %.200s\n", what, path);
    close(fd);
}

__attribute__((constructor)) static void begin(void) {
    const char *folder = getenv("POWERLOSS_SHADOW"), *slow = getenv("POWERLOSS_SLOW_MS");
    struct stat status;
    if (!folder) return;
    appended = getenv("POWERLOSS_APPENDED");
    ignored = getenv("POWERLOSS_IGNORED");
    slow_ms = slow ? atol(slow) : 0;
    int fd = sys_open(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0 || fstat(fd, &status)) fail("cannot use", folder);
    device = status.st_dev;
    names_fd = high(sys_open(fd, "names", O_WRONLY | O_CREAT | O_APPEND, 0600));
    syncs_fd = high(sys_open(fd, "syncs", O_WRONLY | O_CREAT | O_APPEND, 0600));
    shadow = high(fd);
}

static const char *place(char *text, const char *kind, ino_t inode) {
    sprintf(text, "%s/%lu", kind, (unsigned long)inode);
    return text;
}

static int known(const char *kind, const struct stat *status) {
    char text[64];
    return shadow >= 0 && status->st_dev == device && !faccessat(shadow, place(text, kind, status->st_ino), F_OK, 0);
}

/* The inode of the folder that `path` is in, 0 when that folder is not ours; `name` is the last part. */
static ino_t folder_of(int at, const char *path, const char **name) {
    char parent[PATH_MAX] = ".";
    struct stat status;
    const char *slash = strrchr(path, '/');
    if (shadow < 0 || strlen(path) >= sizeof parent) return 0;
    *name = slash ? slash + 1 : path;
    if (slash) sprintf(parent, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    if (fstatat(at, parent, &status, 0) || !known("dirs", &status)) return 0;
    return status.st_ino;
}

/* -- names ---------------------------------------------------------------------------------------------- */

static void made(int at, const char *path, char type) {
    const char *name;
    char text[64];
    struct stat status;
    ino_t folder = folder_of(at, path, &name);
    if (!folder || fstatat(at, path, &status, AT_SYMLINK_NOFOLLOW)) return;
    if (type == 'd') {
        close(sys_open(shadow, place(text, "dirs", status.st_ino), O_WRONLY | O_CREAT, 0600));
    } else if (S_ISREG(status.st_mode)) {
        if (syscall(SYS_linkat, at, path, shadow, place(text, "pins", status.st_ino), 0)) {
            if (errno == EEXIST) return; /* it was there before */
            fail("cannot pin", path);
        }
    } else {
        return; /* a socket */
    }
    changes++;
    line(names_fd, "link\t%lu\t%lu\t%c\t%s\n", (unsigned long)folder, (unsigned long)status.st_ino, type, name);
}

static int open_at(int at, const char *path, int flags, int mode) {
    struct stat status;
    if (shadow < 0 || !(flags & (O_CREAT | O_DSYNC))) return sys_open(at, path, flags, mode);
    pthread_mutex_lock(&naming);
    int fd = sys_open(at, path, flags, mode), problem = errno;
    if (fd >= 0 && flags & O_CREAT) made(at, path, 'f');
    if (fd >= 0 && flags & O_DSYNC && !fstat(fd, &status) && known("pins", &status)) unsupported("O_SYNC", path);
    pthread_mutex_unlock(&naming);
    errno = problem;
    return fd;
}

#define MODE(flags) \
    int mode = 0; \
    if (flags & O_CREAT) { va_list rest; va_start(rest, flags); mode = va_arg(rest, int); va_end(rest); }

int open(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return open_at(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) return open_at(at, path, flags, mode); }
int creat(const char *path, mode_t mode) {
    return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, (int)mode);
}
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

int mkdirat(int at, const char *path, mode_t mode) {
    pthread_mutex_lock(&naming);
    int result = (int)syscall(SYS_mkdirat, at, path, mode), problem = errno;
    if (!result) made(at, path, 'd');
    pthread_mutex_unlock(&naming);
    errno = problem;
    return result;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

static int rename_at(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    const char *from_name, *to_name;
    pthread_mutex_lock(&naming);
    ino_t from_folder = folder_of(from_at, from, &from_name), to_folder = folder_of(to_at, to, &to_name);
    int result = (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags), problem = errno;
    if (!result && (from_folder || to_folder)) {
        if (!from_folder || !to_folder || flags & ~1U) unsupported("rename", from);
        changes++;
        line(names_fd, "move\t%lu\t%s\t%lu\t%s\n", (unsigned long)from_folder, from_name,
             (unsigned long)to_folder, to_name);
    }
    pthread_mutex_unlock(&naming);
    errno = problem;
    return result;
}
int rename(const char *from, const char *to) { return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_at, const char *from, int to_at, const char *to) {
    return rename_at(from_at, from, to_at, to, 0);
}
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    return rename_at(from_at, from, to_at, to, flags);
}

int unlinkat(int at, const char *path, int flags) {
    const char *name;
    pthread_mutex_lock(&naming);
    ino_t folder = folder_of(at, path, &name);
    int result = (int)syscall(SYS_unlinkat, at, path, flags), problem = errno;
    if (!result && folder) {
        changes++;
        line(names_fd, "unlink\t%lu\t%s\n", (unsigned long)folder, name);
    }
    pthread_mutex_unlock(&naming);
    errno = problem;
    return result;
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
    const char *name;
    pthread_mutex_lock(&naming);
    int result = (int)syscall(SYS_linkat, from_at, from, to_at, to, flags), problem = errno;
    if (!result && folder_of(to_at, to, &name)) unsupported("link", to);
    pthread_mutex_unlock(&naming);
    errno = problem;
    return result;
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

/* -- syncs ---------------------------------------------------------------------------------------------- */

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int ends(const char *name, const char *suffix) {
    size_t length = strlen(name), part = suffix ? strlen(suffix) : 0;
    return part && length >= part && !strcmp(name + length - part, suffix);
}

/* Copies bytes `from`..`to` of the file to the end of `target`. */
static void copy(ino_t inode, int target, off_t from, off_t to) {
    char text[64], block[BLOCK];
    int source = sys_open(shadow, place(text, "pins", inode), O_RDONLY | O_CLOEXEC, 0);
    while (source >= 0 && from < to) {
        size_t wanted = to - from < BLOCK ? (size_t)(to - from) : BLOCK;
        ssize_t got = pread(source, block, wanted, from);
        if (got <= 0) break; /* it was cut shorter meanwhile */
        if (write(target, block, (size_t)got) != got) fail("cannot copy", text);
        from += got;
    }
    close(source);
}

/* A file that only grows: its first `size` bytes are on the disk now. */
static void keep_more(ino_t inode, off_t size) {
    char text[64];
    struct stat status;
    int target = sys_open(shadow, place(text, "data", inode), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (target < 0 || fstat(target, &status)) fail("cannot keep", text);
    copy(inode, target, status.st_size, size);
    close(target);
}

static int sync_grown(int fd, const struct stat *status, long call, int lie) {
    struct timespec pause = {slow_ms / 1000, slow_ms % 1000 * 1000000};
    if (slow_ms) nanosleep(&pause, NULL);
    int result = (int)syscall(call, fd);
    if (result || lie) return result;
    pthread_mutex_lock(&growing);
    keep_more(status->st_ino, status->st_size);
    pthread_mutex_unlock(&growing);
    return 0;
}

static int sync_whole(int fd, const struct stat *status, long call, int lie) {
    char aside[64], text[64];
    pthread_mutex_lock(&copying);
    sprintf(aside, "data/new-%lu", (unsigned long)status->st_ino);
    int target = sys_open(shadow, aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (target < 0) fail("cannot keep", aside);
    copy(status->st_ino, target, 0, status->st_size);
    close(target);
    int result = (int)syscall(call, fd), problem = errno;
    if (!result && !lie && syscall(SYS_renameat2, shadow, aside, shadow, place(text, "data", status->st_ino), 0))
        fail("cannot keep", text);
    pthread_mutex_unlock(&copying);
    errno = problem;
    return result;
}

static int sync_file(int fd, const struct stat *status, long call) {
    char link_name[64], path[PATH_MAX] = "";
    double begun = now();
    sprintf(link_name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link_name, path, sizeof path - 1);
    if (length < 0) fail("cannot name", link_name);
    char *gone = strstr(path, " (deleted)");
    if (gone) *gone = 0;
    long before = __atomic_load_n(&changes, __ATOMIC_SEQ_CST);
    int lie = ends(path, ignored);
    int result = (ends(path, appended) ? sync_grown : sync_whole)(fd, status, call, lie), problem = errno;
    if (!result && !lie)
        line(syncs_fd, "%lu\t%.6f\t%.6f\t%ld\t%ld\t%s\n", (unsigned long)status->st_ino, begun, now(),
             (long)status->st_size, before, strrchr(path, '/') + 1);
    errno = problem;
    return result;
}

static int sync_folder(int fd, const struct stat *status, long call) {
    pthread_mutex_lock(&naming);
    long before = changes;
    pthread_mutex_unlock(&naming);
    int result = (int)syscall(call, fd), problem = errno;
    if (!result) {
        pthread_mutex_lock(&naming);
        line(names_fd, "sync\t%lu\t%ld\n", (unsigned long)status->st_ino, before);
        pthread_mutex_unlock(&naming);
    }
    errno = problem;
    return result;
}

static int sync_any(int fd, long call) {
    struct stat status;
    if (shadow < 0 || fstat(fd, &status)) return (int)syscall(call, fd);
    if (S_ISDIR(status.st_mode) && known("dirs", &status)) return sync_folder(fd, &status, call);
    if (S_ISREG(status.st_mode) && known("pins", &status)) return sync_file(fd, &status, call);
    return (int)syscall(call, fd);
}
int fsync(int fd) { return sync_any(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_any(fd, SYS_fdatasync); }

/* sync_file_range promises nothing about a power cut (its man page), so it stays what it is. */

void sync(void) {
    if (shadow >= 0) unsupported("sync", "");
    syscall(SYS_sync);
}
int syncfs(int fd) {
    if (shadow >= 0) unsupported("syncfs", "");
    return (int)syscall(SYS_syncfs, fd);
}
