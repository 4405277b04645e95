/* disk.c: see disk.h. Each watched file has a shadow of what is safe; what is written goes to the
 * real file, which LMDB maps, and to a log until it is synced. */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILES_MAX = 16, PATH_BYTES = PATH_MAX + 1 };

/* A file is known by its inode, which our own descriptor keeps from being used again. */
struct disk_file {
    dev_t device;
    ino_t inode;
    int descriptor;
    char *safe;
    size_t safe_bytes;
};

/* One unsynced write in the log; its bytes follow it. */
struct disk_write {
    struct disk_file *file;
    size_t at;
    size_t len;
    char bytes[];
};

static struct {
    char directory[PATH_BYTES]; /* "": nothing is watched */
    struct disk_file files[FILES_MAX];
    unsigned file_count;
    char *log;
    size_t log_bytes;
    char *image; /* scratch */
    size_t image_peak;
    struct {
        uint64_t left; /* calls until it comes, 0: none */
        int error;
        bool lasting;
    } faults[DISK_CALLS];
    uint64_t cut_left;
    bool cut;
    enum disk_lie lie;
    void (*stall)(void *context);
    void *stall_context;
    struct disk_counts counts;
} disk;

static void disk_require(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "disk.c: %s: %s\n", what, strerror(errno));
        abort();
    }
}

static void *real_mmap(void *address, size_t len, int protection, int flags, int descriptor,
                       off_t offset)
{
#ifdef SYS_mmap2
    long result = syscall(SYS_mmap2, address, len, protection, flags, descriptor, offset / 4096);
#else
    long result = syscall(SYS_mmap, address, len, protection, flags, descriptor, offset);
#endif
    return (void *)result;
}

static char *memory_take(size_t len)
{
    void *memory = real_mmap(NULL, len, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    disk_require(memory != MAP_FAILED, "no memory");
    return memory;
}

/* Written here without pwrite, which is ours. */
static ssize_t real_writev(int descriptor, const struct iovec *parts, int count, off_t offset)
{
    off_t before = lseek(descriptor, 0, SEEK_CUR);
    if (before < 0 || lseek(descriptor, offset, SEEK_SET) < 0)
        return -1;
    ssize_t written = syscall(SYS_writev, descriptor, parts, count);
    int error = errno;
    disk_require(lseek(descriptor, before, SEEK_SET) >= 0, "lseek");
    errno = error;
    return written;
}

static struct disk_file *file_add(int descriptor, const struct stat *entry)
{
    char link[64];
    disk_require(disk.file_count < FILES_MAX, "too many files");
    struct disk_file *file = &disk.files[disk.file_count++];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    *file = (struct disk_file){.device = entry->st_dev,
                               .inode = entry->st_ino,
                               .descriptor = open(link, O_RDWR | O_CLOEXEC),
                               .safe = memory_take(DISK_FILE_BYTES_MAX),
                               .safe_bytes = (size_t)entry->st_size};
    disk_require(file->descriptor >= 0, "a watched file cannot be opened");
    disk_require(file->safe_bytes <= DISK_FILE_BYTES_MAX, "a watched file is too large");
    disk_require(pread(file->descriptor, file->safe, file->safe_bytes, 0) ==
                     (ssize_t)file->safe_bytes,
                 "a watched file cannot be read");
    return file;
}

/* The shadow of what descriptor is, NULL: not watched. */
static struct disk_file *file_of(int descriptor)
{
    char link[64], path[PATH_BYTES];
    struct stat entry;

    if (disk.directory[0] == 0 || fstat(descriptor, &entry) != 0 || !S_ISREG(entry.st_mode))
        return NULL;
    for (unsigned i = 0; i < disk.file_count; i++) {
        if (disk.files[i].device == entry.st_dev && disk.files[i].inode == entry.st_ino)
            return &disk.files[i];
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len < 0)
        return NULL;
    path[len] = 0;
    size_t directory_len = strlen(disk.directory);
    if (strncmp(path, disk.directory, directory_len) != 0 ||
        (strcmp(path + directory_len, "/kith.mdb") != 0 &&
         strcmp(path + directory_len, "/kith.mdb.new") != 0))
        return NULL;
    return file_add(descriptor, &entry);
}

/* Whether a planned fault comes now; error may be 0 (a short write). */
static bool fault_due(enum disk_call call, int *error)
{
    if (disk.faults[call].left == 0)
        return false;
    if (disk.faults[call].left > 1) {
        disk.faults[call].left--;
        return false;
    }
    if (!disk.faults[call].lasting)
        disk.faults[call].left = 0;
    *error = disk.faults[call].error;
    return true;
}

/* Counts an event; true: the power goes now. */
static bool cut_due(void)
{
    if (disk.cut_left == 0 || --disk.cut_left > 0)
        return false;
    disk.cut = true;
    return true;
}

static struct disk_write *log_add(struct disk_file *file, const struct iovec *parts, int count,
                                  size_t at, size_t len)
{
    size_t bytes = (sizeof(struct disk_write) + len + 15) & ~(size_t)15;
    disk_require(disk.log_bytes + bytes <= DISK_FILE_BYTES_MAX, "too much is unsynced");
    disk_require(at + len <= DISK_FILE_BYTES_MAX, "a watched file grows too large");
    struct disk_write *write = (struct disk_write *)(void *)(disk.log + disk.log_bytes);
    *write = (struct disk_write){.file = file, .at = at, .len = len};
    size_t done = 0;
    for (int i = 0; i < count && done < len; i++) {
        size_t part = parts[i].iov_len < len - done ? parts[i].iov_len : len - done;
        memcpy(write->bytes + done, parts[i].iov_base, part);
        done += part;
    }
    disk.log_bytes += bytes;
    return write;
}

static struct disk_write *log_next(struct disk_write *write)
{
    size_t bytes = (sizeof *write + write->len + 15) & ~(size_t)15;
    return (struct disk_write *)(void *)((char *)write + bytes);
}

static void write_keep(struct disk_write *write)
{
    struct disk_file *file = write->file;
    memcpy(file->safe + write->at, write->bytes, write->len);
    if (file->safe_bytes < write->at + write->len)
        file->safe_bytes = write->at + write->len;
}

/* Everything unsynced of this file becomes safe; the log keeps what is of others. */
static void log_sync(struct disk_file *file)
{
    char *end = disk.log + disk.log_bytes;
    struct disk_write *write = (struct disk_write *)(void *)disk.log;
    disk.log_bytes = 0;
    while ((char *)write < end) {
        struct disk_write *next = log_next(write);
        size_t bytes = (size_t)((char *)next - (char *)write);
        if (write->file == file) {
            write_keep(write);
        } else {
            memmove(disk.log + disk.log_bytes, write, bytes);
            disk.log_bytes += bytes;
        }
        write = next;
    }
}

static ssize_t file_write(struct disk_file *file, int descriptor, const struct iovec *parts,
                          int count, off_t offset)
{
    size_t len = 0;
    int error = 0;
    for (int i = 0; i < count; i++)
        len += parts[i].iov_len;
    disk.counts.calls[DISK_WRITE]++;
    if (!disk.cut && fault_due(DISK_WRITE, &error)) {
        errno = error;
        if (error != 0)
            return -1;
        struct iovec half = {parts[0].iov_base, parts[0].iov_len / 2};
        log_add(file, &half, 1, (size_t)offset, half.iov_len);
        return real_writev(descriptor, &half, 1, offset);
    }
    int flags = fcntl(descriptor, F_GETFL);
    bool safe = (flags & O_DSYNC) != 0 && disk.lie == DISK_HONEST;
    if (!disk.cut && (flags & O_DSYNC) != 0 && disk.stall != NULL)
        disk.stall(disk.stall_context);
    if (!disk.cut) {
        size_t log_bytes = disk.log_bytes;
        struct disk_write *write = log_add(file, parts, count, (size_t)offset, len);
        if (!cut_due() && safe) {
            write_keep(write);
            disk.log_bytes = log_bytes;
        }
    }
    if (disk.cut) {
        errno = EIO;
        return -1;
    }
    disk.counts.bytes += len;
    return real_writev(descriptor, parts, count, offset);
}

static int file_sync(struct disk_file *file)
{
    int error = 0;
    disk.counts.calls[DISK_SYNC]++;
    if (!disk.cut && disk.stall != NULL)
        disk.stall(disk.stall_context);
    if (!disk.cut && fault_due(DISK_SYNC, &error)) {
        errno = error;
        return -1;
    }
    if (disk.cut || cut_due()) {
        errno = EIO;
        return -1;
    }
    if (disk.lie != DISK_SYNC_LIES)
        log_sync(file);
    return 0;
}

static uint64_t seed_mix(uint64_t seed)
{
    seed += 0x9e3779b97f4a7c15u;
    seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9u;
    seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebu;
    return seed ^ (seed >> 31);
}

/* How many of the log's writes this sector saw: none, all, or the first few. */
static uint64_t sector_writes(uint64_t seed, const struct disk_file *file, size_t sector,
                              uint64_t writes)
{
    uint64_t lot = seed_mix(seed ^ seed_mix(sector * FILES_MAX + (size_t)(file - disk.files)));
    switch (lot % 4) {
    case 0:
    case 1:
        return writes;
    case 2:
        return 0;
    default:
        return (lot >> 2) % (writes + 1);
    }
}

/* Lays what survived of one unsynced write over the image. */
static void image_add(uint64_t seed, const struct disk_write *write, uint64_t number,
                      uint64_t writes, size_t *image_bytes)
{
    for (size_t at = write->at; at < write->at + write->len;) {
        size_t sector = at / DISK_SECTOR_BYTES;
        size_t next = (sector + 1) * DISK_SECTOR_BYTES;
        if (next > write->at + write->len)
            next = write->at + write->len;
        if (number < sector_writes(seed, write->file, sector, writes)) {
            memcpy(disk.image + at, write->bytes + (at - write->at), next - at);
            if (*image_bytes < next)
                *image_bytes = next;
        }
        at = next;
    }
}

void disk_image(uint64_t seed)
{
    struct disk_write *first = (struct disk_write *)(void *)disk.log;
    char *end = disk.log + disk.log_bytes;
    uint64_t writes = 0;

    for (struct disk_write *write = first; (char *)write < end; write = log_next(write))
        writes++;
    for (unsigned i = 0; i < disk.file_count; i++) {
        struct disk_file *file = &disk.files[i];
        size_t image_bytes = file->safe_bytes;
        uint64_t number = 0;
        memset(disk.image, 0, disk.image_peak);
        memcpy(disk.image, file->safe, file->safe_bytes);
        for (struct disk_write *write = first; (char *)write < end; write = log_next(write)) {
            if (write->file == file)
                image_add(seed, write, number, writes, &image_bytes);
            number++;
        }
        if (disk.image_peak < image_bytes)
            disk.image_peak = image_bytes;
        struct iovec part = {disk.image, image_bytes};
        /* Not truncated to nothing first: ext4 would then wait for the real disk. */
        disk_require(real_writev(file->descriptor, &part, 1, 0) == (ssize_t)image_bytes &&
                         syscall(SYS_ftruncate, file->descriptor, (long)image_bytes) == 0,
                     "an image cannot be written");
    }
}

void disk_power_on(void)
{
    for (unsigned i = 0; i < disk.file_count; i++) {
        struct disk_file *file = &disk.files[i];
        struct stat entry;
        disk_require(fstat(file->descriptor, &entry) == 0, "fstat");
        file->safe_bytes = (size_t)entry.st_size;
        memset(file->safe, 0, file->safe_bytes);
        disk_require(pread(file->descriptor, file->safe, file->safe_bytes, 0) ==
                         (ssize_t)file->safe_bytes,
                     "a watched file cannot be read");
    }
    disk.log_bytes = 0;
    disk.cut = false;
    disk.cut_left = 0;
}

void disk_watch(const char *directory)
{
    disk_unwatch();
    disk.log = memory_take(DISK_FILE_BYTES_MAX);
    disk.image = memory_take(DISK_FILE_BYTES_MAX);
    disk_require(realpath(directory, disk.directory) != NULL, directory);
}

void disk_unwatch(void)
{
    for (unsigned i = 0; i < disk.file_count; i++) {
        close(disk.files[i].descriptor);
        munmap(disk.files[i].safe, DISK_FILE_BYTES_MAX);
    }
    if (disk.log != NULL) {
        munmap(disk.log, DISK_FILE_BYTES_MAX);
        munmap(disk.image, DISK_FILE_BYTES_MAX);
    }
    memset(&disk, 0, sizeof disk);
}

void disk_fail(enum disk_call call, uint64_t n, int error, bool lasting)
{
    disk.faults[call].left = n;
    disk.faults[call].error = error;
    disk.faults[call].lasting = lasting;
}

void disk_stall(void (*stall)(void *context), void *context)
{
    disk.stall = stall;
    disk.stall_context = context;
}

void disk_lie(enum disk_lie lie)
{
    disk.lie = lie;
}

void disk_cut_at(uint64_t n)
{
    disk.cut_left = n;
    disk.cut = n == 0;
}

bool disk_is_cut(void)
{
    return disk.cut;
}

void disk_count(struct disk_counts *counts)
{
    *counts = disk.counts;
}

/* What LMDB and the store call. */

ssize_t pwrite(int descriptor, const void *bytes, size_t len, off_t offset)
{
    struct iovec part = {(void *)(uintptr_t)bytes, len};
    struct disk_file *file = file_of(descriptor);
    return file != NULL ? file_write(file, descriptor, &part, 1, offset)
                        : real_writev(descriptor, &part, 1, offset);
}

ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset)
{
    struct disk_file *file = file_of(descriptor);
    return file != NULL ? file_write(file, descriptor, parts, count, offset)
                        : real_writev(descriptor, parts, count, offset);
}

/* LMDB seeks before each of these, so the position need not move on. */
ssize_t writev(int descriptor, const struct iovec *parts, int count)
{
    struct disk_file *file = file_of(descriptor);
    return file != NULL ? file_write(file, descriptor, parts, count, lseek(descriptor, 0, SEEK_CUR))
                        : syscall(SYS_writev, descriptor, parts, count);
}

int fdatasync(int descriptor)
{
    struct disk_file *file = file_of(descriptor);
    if (file != NULL)
        return file_sync(file);
    return disk.directory[0] != 0 ? 0 : (int)syscall(SYS_fdatasync, descriptor);
}

int fsync(int descriptor)
{
    struct disk_file *file = file_of(descriptor);
    if (file != NULL)
        return file_sync(file);
    return disk.directory[0] != 0 ? 0 : (int)syscall(SYS_fsync, descriptor);
}

void *mmap(void *address, size_t len, int protection, int flags, int descriptor, off_t offset)
{
    int error = 0;
    if (descriptor >= 0 && file_of(descriptor) != NULL) {
        disk.counts.calls[DISK_MAP]++;
        if (fault_due(DISK_MAP, &error)) {
            errno = error;
            return MAP_FAILED;
        }
    }
    return real_mmap(address, len, protection, flags, descriptor, offset);
}

#if defined(__GLIBC__) && !defined(__USE_FILE_OFFSET64)
ssize_t pwrite64(int descriptor, const void *bytes, size_t len, off64_t offset)
{
    return pwrite(descriptor, bytes, len, (off_t)offset);
}

ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t offset)
{
    return pwritev(descriptor, parts, count, (off_t)offset);
}

void *mmap64(void *address, size_t len, int protection, int flags, int descriptor, off64_t offset)
{
    return mmap(address, len, protection, flags, descriptor, (off_t)offset);
}
#endif
