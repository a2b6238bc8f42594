/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that fails, for LD_PRELOAD under an unmodified program. What it does now stands in the
 * file that the environment variable DISK_FAULT names, read at each call: "eio", "enospc" or
 * "erofs" (all writing of drives fails with that error), "slow SECONDS" (each flush takes so long),
 * or nothing. Only files with ".drive" in their name are concerned.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

int fsync(int fd);
int fdatasync(int fd);
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset);
int ftruncate(int fd, off_t length);

typedef int (*SyncFunc)(int);
typedef ssize_t (*WriteFunc)(int, const void *, size_t, off64_t);
typedef int (*TruncateFunc)(int, off64_t);

static int is_drive(int fd)
{
    char link[64];
    char path[512];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0)
        return 0;
    path[n] = '\0';
    return strstr(path, ".drive") != NULL;
}

/* The error of now, or 0; *delay_s of a flush. */
static int fault_of(int fd, double *delay_s)
{
    static const struct {
        const char *word;
        int number;
    } words[] = {{"eio", EIO}, {"enospc", ENOSPC}, {"erofs", EROFS}};
    const char *control = getenv("DISK_FAULT");
    char text[64] = "";
    *delay_s = 0;
    if (control == NULL || !is_drive(fd))
        return 0;
    int file = open(control, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t n = read(file, text, sizeof text - 1);
    (void)close(file);
    text[n > 0 ? n : 0] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(text, words[i].word, strlen(words[i].word)) == 0)
            return words[i].number;
    if (strncmp(text, "slow ", 5) == 0)
        *delay_s = strtod(text + 5, NULL);
    return 0;
}

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL)
        abort();
    return function;
}

static int sync_or_fail(const char *name, int fd)
{
    double delay_s = 0;
    int number = fault_of(fd, &delay_s);
    if (number != 0) {
        errno = number;
        return -1;
    }
    if (delay_s > 0) {
        struct timespec time = {(time_t)delay_s, (long)((delay_s - (double)(time_t)delay_s) * 1e9)};
        (void)nanosleep(&time, NULL);
    }
    SyncFunc function;
    void *symbol = real(name);
    memcpy(&function, &symbol, sizeof function);
    return function(fd);
}

int fsync(int fd)
{
    return sync_or_fail("fsync", fd);
}

int fdatasync(int fd)
{
    return sync_or_fail("fdatasync", fd);
}

static ssize_t write_or_fail(int fd, const void *bytes, size_t n, off64_t offset)
{
    double delay_s = 0;
    int number = fault_of(fd, &delay_s);
    if (number != 0) {
        errno = number;
        return -1;
    }
    WriteFunc function;
    void *symbol = real("pwrite64");
    memcpy(&function, &symbol, sizeof function);
    return function(fd, bytes, n, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
    return write_or_fail(fd, bytes, n, offset);
}

static int truncate_or_fail(int fd, off64_t length)
{
    double delay_s = 0;
    int number = fault_of(fd, &delay_s);
    if (number != 0) {
        errno = number;
        return -1;
    }
    TruncateFunc function;
    void *symbol = real("ftruncate64");
    memcpy(&function, &symbol, sizeof function);
    return function(fd, length);
}

int ftruncate(int fd, off_t length)
{
    return truncate_or_fail(fd, length);
}
