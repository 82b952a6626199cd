/* Loaded before the C library (LD_PRELOAD): counts the calls by which a program changes files below FAULT_FOLDER, and spoils
 * one of them.
 *
 * FAULT_AT     the call, counted from 1; 0 spoils none
 * FAULT_KIND   kill    the process ends before the call, as by SIGKILL
 *              power   the same, and what was written since a file's last fsync is lost, and what was renamed since its folder's last fsync
 *                      has its old name
 *              EIO     the call fails
 *              ENOSPC  the call fails, and so does every later one that takes space
 *              EROFS   the same
 *              ENOLCK  every lock fails, whatever FAULT_AT
 * FAULT_COUNT  a file that is told the number of calls when the program ends
 */
#define _GNU_SOURCE
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
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

enum { FILES = 1024 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long calls;
/* The length of a file up to which it is on the disk, where something was written behind it. */
static off_t synced[FILES];
static char unsynced[FILES];

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value ? value : "";
}

/* A rename that is not on the disk yet: `kept` is a further name of what `to` was before, or empty. */
struct renaming {
    char from[PATH_MAX], to[PATH_MAX], kept[PATH_MAX];
};
static struct renaming renamings[FILES];
static int n_renamings;

static int is_below(const char *path) {
    const char *folder = variable("FAULT_FOLDER");
    return *folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_file_below(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_below(path);
}

/* Counts a call. Gives back the error that it is to fail with, or 0. */
static int spoiled(int takes_space) {
    pthread_mutex_lock(&mutex);
    long call = ++calls, at = atol(variable("FAULT_AT"));
    pthread_mutex_unlock(&mutex);
    const char *kind = variable("FAULT_KIND");
    if (at == 0 || call < at) return 0;
    if (strcmp(kind, "ENOSPC") == 0) return takes_space ? ENOSPC : 0;
    if (strcmp(kind, "EROFS") == 0) return takes_space ? EROFS : 0;
    if (strcmp(kind, "ENOLCK") == 0) return 0;
    if (call > at) return 0;
    if (strcmp(kind, "EIO") == 0) return EIO;
    if (strcmp(kind, "power") == 0) {
        while (n_renamings > 0) {
            struct renaming *last = &renamings[--n_renamings];
            if (REAL(rename)(last->to, last->from) != 0) perror("interposed: rename back");
            if (*last->kept && REAL(rename)(last->kept, last->to) != 0) perror("interposed: bring back");
        }
        for (int fd = 0; fd < FILES; fd++) {
            if (unsynced[fd] && REAL(ftruncate64)(fd, synced[fd]) != 0) perror("interposed: ftruncate");
        }
    }
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

#define SPOIL(is_ours, takes_space)                    \
    do {                                               \
        int error = (is_ours) ? spoiled(takes_space) : 0; \
        if (error) {                                   \
            errno = error;                             \
            return -1;                                 \
        }                                              \
    } while (0)

static int opened(int fd) {
    if (fd >= 0 && fd < FILES) unsynced[fd] = 0;
    return fd;
}

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    SPOIL(flags & (O_CREAT | O_TRUNC) && is_below(path), 1);
    return opened(REAL(open64)(path, flags, mode));
}

ssize_t write(int fd, const void *bytes, size_t n) {
    int is_ours = is_file_below(fd);
    SPOIL(is_ours, 1);
    struct stat status;
    if (is_ours && fd < FILES && !unsynced[fd] && fstat(fd, &status) == 0) {
        synced[fd] = status.st_size;
        unsynced[fd] = 1;
    }
    return REAL(write)(fd, bytes, n);
}

/* The renames into an open folder are on the disk now. */
static void synced_folder(int fd) {
    char link[64], folder[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, folder, sizeof folder - 1);
    if (length < 0) return;
    folder[length] = 0;
    pthread_mutex_lock(&mutex);
    int n_left = 0;
    for (int i = 0; i < n_renamings; i++) {
        const char *name = strrchr(renamings[i].to, '/');
        if (name - renamings[i].to == length && strncmp(renamings[i].to, folder, length) == 0) {
            if (*renamings[i].kept) REAL(unlink)(renamings[i].kept);
        } else {
            if (n_left < i) renamings[n_left] = renamings[i];
            n_left++;
        }
    }
    n_renamings = n_left;
    pthread_mutex_unlock(&mutex);
}

int fsync(int fd) {
    int is_ours = is_file_below(fd);
    SPOIL(is_ours, 1);
    if (is_ours && fd < FILES) unsynced[fd] = 0;
    struct stat status;
    if (is_ours && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) synced_folder(fd);
    return REAL(fsync)(fd);
}

int fdatasync(int fd) {
    int is_ours = is_file_below(fd);
    SPOIL(is_ours, 1);
    if (is_ours && fd < FILES) unsynced[fd] = 0;
    return REAL(fdatasync)(fd);
}

int ftruncate64(int fd, off64_t length) {
    SPOIL(is_file_below(fd), 0);
    return REAL(ftruncate64)(fd, length);
}

int rename(const char *from, const char *to) {
    int is_ours = is_below(to);
    SPOIL(is_ours, 0);
    if (!is_ours || strcmp(variable("FAULT_KIND"), "power") != 0) return REAL(rename)(from, to);
    pthread_mutex_lock(&mutex);
    struct renaming *renaming = &renamings[n_renamings];
    int is_kept = n_renamings < FILES;
    if (is_kept) {
        snprintf(renaming->from, PATH_MAX, "%s", from);
        snprintf(renaming->to, PATH_MAX, "%s", to);
        snprintf(renaming->kept, PATH_MAX, "%s.kept-%ld", variable("FAULT_FOLDER"), calls);
        if (link(to, renaming->kept) != 0) *renaming->kept = 0;
    }
    int renamed = REAL(rename)(from, to);
    if (renamed == 0 && is_kept) n_renamings++;
    pthread_mutex_unlock(&mutex);
    return renamed;
}

int unlink(const char *path) {
    SPOIL(is_below(path), 0);
    return REAL(unlink)(path);
}

int flock(int fd, int operation) {
    if (strcmp(variable("FAULT_KIND"), "ENOLCK") == 0 && is_file_below(fd)) {
        errno = ENOLCK;
        return -1;
    }
    return REAL(flock)(fd, operation);
}

int mkdir(const char *path, mode_t mode) {
    SPOIL(is_below(path), 1);
    return REAL(mkdir)(path, mode);
}

__attribute__((destructor)) static void tell(void) {
    FILE *file = *variable("FAULT_COUNT") ? fopen(variable("FAULT_COUNT"), "w") : NULL;
    if (file) {
        fprintf(file, "%ld", calls);
        fclose(file);
    }
}
