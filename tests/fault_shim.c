/* Loaded into a process with LD_PRELOAD: makes the n-th change of files below a folder fail, or the last thing
 * that the process does; keeps beside them what a disk would still hold after a power cut; shifts the clock.
 *
 * Nothing happens before `fault_arm` is called; that reads the environment:
 *   FAULT_ROOT    changes of files below this folder count; elsewhere nothing is touched
 *   FAULT_AT      which change fails, from 1; 0 for none
 *   FAULT_ACTION  an errno, or "kill": half of a write is done, then the process dies
 *   FAULT_STICKY  "1": all later changes fail too, as on a disk that stays full
 *   FAULT_SHADOW  folder for what is durable: for each file `f<inode>.<life>`, its content at its last sync, for
 *                 each folder `d<inode>.<life>`, its names at its last sync; a "life" because inodes are reused
 *   FAULT_NOSYNC  "1": syncs say that they worked, and do nothing
 *   FAULT_CLOCK   file with seconds to add to the time of day
 *   FAULT_LOG     file to append a line to for each change: its number, what, where
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LIVES 65536

static const char *root, *shadow, *clock_file, *log_file;
static long fail_at, done;
static int action, sticky, nosync;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static struct { ino_t inode; unsigned life; } lives[LIVES];

static const char *given(const char *name) {
    const char *value = getenv(name);
    return value && *value ? strdup(value) : NULL;
}

void fault_arm(void) {
    const char *at = given("FAULT_AT"), *what = given("FAULT_ACTION");
    shadow = given("FAULT_SHADOW");
    clock_file = given("FAULT_CLOCK");
    log_file = given("FAULT_LOG");
    fail_at = at ? atol(at) : 0;
    action = what ? (strcmp(what, "kill") ? atoi(what) : -1) : EIO;
    sticky = given("FAULT_STICKY") != NULL;
    nosync = given("FAULT_NOSYNC") != NULL;
    done = 0;
    root = given("FAULT_ROOT");
}

long fault_count(void) { return done; }

static int below(const char *path) {
    size_t length = root ? strlen(root) : 0;
    return length && strncmp(path, root, length) == 0 && (path[length] == '/' || !path[length]);
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below(path);
}

static void put_all(int fd, const char *data, size_t length) {
    while (length) {
        ssize_t count = syscall(SYS_write, fd, data, length);
        if (count <= 0) return;
        data += count;
        length -= count;
    }
}

/* Count a change; whether it is to fail. */
static int fails(const char *what, const char *path) {
    pthread_mutex_lock(&turn);
    long number = ++done;
    if (log_file) {
        char line[PATH_MAX + 64];
        int fd = syscall(SYS_openat, AT_FDCWD, log_file, O_WRONLY | O_CREAT | O_APPEND, 0600);
        put_all(fd, line, snprintf(line, sizeof line, "%ld %s %s\n", number, what, path + strlen(root)));
        syscall(SYS_close, fd);
    }
    pthread_mutex_unlock(&turn);
    return fail_at && (number == fail_at || (sticky && number > fail_at));
}

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

static int refuse(void) {
    if (action < 0) die();
    errno = action;
    return -1;
}

static unsigned *life_of(ino_t inode) {
    size_t place = inode % LIVES;
    while (lives[place].inode && lives[place].inode != inode) place = (place + 1) % LIVES;
    lives[place].inode = inode;
    return &lives[place].life;
}

static void born(ino_t inode) {
    if (!shadow) return;
    pthread_mutex_lock(&turn);
    ++*life_of(inode);
    pthread_mutex_unlock(&turn);
}

/* Keep what has just been synced: it is durable now. */
static void keep(int fd) {
    struct stat status;
    char name[PATH_MAX], beside[PATH_MAX + 8], data[65536];
    if (!shadow || fstat(fd, &status)) return;
    pthread_mutex_lock(&turn);
    int folder = S_ISDIR(status.st_mode);
    snprintf(name, sizeof name, "%s/%c%lu.%u", shadow, folder ? 'd' : 'f', (unsigned long)status.st_ino,
             *life_of(status.st_ino));
    snprintf(beside, sizeof beside, "%s.tmp", name);
    int out = syscall(SYS_openat, AT_FDCWD, beside, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    char path[PATH_MAX];
    if (folder && path_of(fd, path)) {
        DIR *listing = opendir(path);
        struct dirent *entry;
        while (listing && (entry = readdir(listing))) {
            if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
            char line[PATH_MAX];
            put_all(out, line, snprintf(line, sizeof line, "%c%lu.%u %s\n", entry->d_type == DT_DIR ? 'd' : 'f',
                                        (unsigned long)entry->d_ino, *life_of(entry->d_ino), entry->d_name));
        }
        if (listing) closedir(listing);
    } else if (!folder) {
        /* The descriptor may be for writing only. */
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        int in = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
        ssize_t count;
        while ((count = syscall(SYS_read, in, data, sizeof data)) > 0) put_all(out, data, count);
        syscall(SYS_close, in);
    }
    syscall(SYS_close, out);
    syscall(SYS_renameat, AT_FDCWD, beside, AT_FDCWD, name);
    pthread_mutex_unlock(&turn);
}

static int opened(int dir, const char *path, int flags, mode_t mode) {
    struct stat status;
    int changes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
    int counts = changes && path[0] == '/' && below(path);
    int fresh = counts && (flags & O_CREAT) && lstat(path, &status) != 0;
    if (counts && fails("open", path)) return refuse();
    int fd = syscall(SYS_openat, dir, path, flags, mode);
    if (fd >= 0 && fresh && fstat(fd, &status) == 0) born(status.st_ino);
    return fd;
}

#define MODE_OF(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }

int open(const char *path, int flags, ...) { MODE_OF(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return opened(AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE_OF(flags) return opened(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE_OF(flags) return opened(dir, path, flags, mode); }

ssize_t write(int fd, const void *data, size_t length) {
    char path[PATH_MAX];
    if (root && path_of(fd, path) && fails("write", path)) {
        if (action < 0) syscall(SYS_write, fd, data, length / 2);
        return refuse();
    }
    return syscall(SYS_write, fd, data, length);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
    char path[PATH_MAX];
    if (root && path_of(fd, path) && fails("pwrite", path)) {
        if (action < 0) syscall(SYS_pwrite64, fd, data, length / 2, at);
        return refuse();
    }
    return syscall(SYS_pwrite64, fd, data, length, at);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return pwrite64(fd, data, length, at); }

static int synced(int fd, const char *what, long number) {
    char path[PATH_MAX];
    int counts = root && path_of(fd, path);
    if (counts && fails(what, path)) return refuse();
    if (counts && nosync) return 0;
    int result = syscall(number, fd);
    if (counts && result == 0) keep(fd);
    return result;
}
int fsync(int fd) { return synced(fd, "fsync", SYS_fsync); }
int fdatasync(int fd) { return synced(fd, "fdatasync", SYS_fdatasync); }

int ftruncate64(int fd, off64_t length) {
    char path[PATH_MAX];
    if (root && path_of(fd, path) && fails("ftruncate", path)) return refuse();
    return syscall(SYS_ftruncate, fd, length);
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int rename(const char *from, const char *to) {
    if (root && below(to) && fails("rename", to)) return refuse();
    return syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
}
int link(const char *from, const char *to) {
    if (root && below(to) && fails("link", to)) return refuse();
    return syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}
int unlink(const char *path) {
    /* Only a moment to die at: nobody depends on a removal that a full disk refuses. */
    if (root && below(path) && action < 0 && fails("unlink", path)) return refuse();
    return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
int mkdir(const char *path, mode_t mode) {
    struct stat status;
    int counts = root && below(path);
    if (counts && fails("mkdir", path)) return refuse();
    int result = syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (counts && result == 0 && lstat(path, &status) == 0) born(status.st_ino);
    return result;
}

static long shift(void) {
    char text[32] = {0};
    if (!clock_file) return 0;
    int fd = syscall(SYS_openat, AT_FDCWD, clock_file, O_RDONLY, 0);
    if (fd < 0) return 0;
    if (syscall(SYS_read, fd, text, sizeof text - 1) < 0) text[0] = 0;
    syscall(SYS_close, fd);
    return atol(text);
}
int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
    return result;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int result = syscall(SYS_gettimeofday, now, zone);
    if (result == 0) now->tv_sec += shift();
    return result;
}
time_t time(time_t *where) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (where) *where = now.tv_sec;
    return now.tv_sec;
}
