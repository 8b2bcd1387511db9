// What needs GNU extensions, which must not leak into the headers that Swift imports.
#define _GNU_SOURCE
#include "CLinux.h"
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

ssize_t berth_receive(int descriptor, void *space, size_t count) {
    return syscall(SYS_recvfrom, descriptor, space, count, 0, NULL, NULL);
}

ssize_t berth_send(int descriptor, const void *bytes, size_t count) {
    return syscall(SYS_sendto, descriptor, bytes, count, MSG_NOSIGNAL, NULL, 0);
}

ssize_t berth_splice(int source, int sink, size_t count) {
    return splice(source, NULL, sink, NULL, count, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

int berth_pipe(int ends[2]) { return pipe2(ends, O_NONBLOCK | O_CLOEXEC); }

int berth_epoll_wait(int poller, struct epoll_event *events, int most, int milliseconds) {
    return (int)syscall(SYS_epoll_pwait, poller, events, most, milliseconds, NULL, 0);
}

int berth_epoll_wait_finely(int poller, struct epoll_event *events, int most, int64_t nanoseconds) {
    struct timespec time = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int count = (int)syscall(SYS_epoll_pwait2, poller, events, most, &time, NULL, 0);
    if (count >= 0 || errno != ENOSYS) return count;
    return berth_epoll_wait(poller, events, most, (int)(nanoseconds / 1000000));
}

int berth_accept(int listener, struct sockaddr_storage *peer) {
    socklen_t length = sizeof *peer;
    return accept4(listener, (struct sockaddr *)peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int berth_refuse_handshakes(int listener) {
    // The filter sees packets from their TCP header on: byte 13 has the flags. SYN without ACK begins a connection.
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    return setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

socklen_t berth_unix_address(const char *path, size_t length, struct sockaddr_storage *address) {
    struct sockaddr_un unix_address = {.sun_family = AF_UNIX};
    if (length == 0 || length >= sizeof unix_address.sun_path) return 0;
    memcpy(unix_address.sun_path, path, length);
    memcpy(address, &unix_address, sizeof unix_address);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

size_t berth_unix_path_limit(void) { return sizeof ((struct sockaddr_un *)0)->sun_path - 1; }

int64_t berth_peer_user(int descriptor) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return -1;
    return length == sizeof peer && peer.pid > 0 ? (int64_t)peer.uid : -1;
}

int berth_unacknowledged(int descriptor) {
    int bytes = 0;
    return ioctl(descriptor, SIOCOUTQ, &bytes) == 0 ? bytes : -1;
}

int berth_name_thread(const char *name) { return pthread_setname_np(pthread_self(), name); }

int berth_available_processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return CPU_COUNT(&set);
}

int berth_end_with_parent(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }

int berth_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1); }

int berth_connect_datagrams(const char *path, size_t length) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (length == 0 || length >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, length);
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0) return descriptor;
    int code = errno;
    close(descriptor);
    errno = code;
    return -1;
}

int berth_send_datagram(const char *path, size_t length, const void *text, size_t count) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (length == 0 || length >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, length);
    if (path[0] == '@') address.sun_path[0] = 0;
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    ssize_t sent = sendto(descriptor, text, count, MSG_NOSIGNAL, (struct sockaddr *)&address, size);
    int code = errno;
    close(descriptor);
    errno = code;
    return sent == (ssize_t)count ? 0 : -1;
}

void berth_release_free_memory(void) { malloc_trim(0); }

// A segment that nobody may write has nothing but what is in its file: what is dropped is mapped again when it is touched.
static int release_segments(struct dl_phdr_info *object, size_t size, void *none) {
    (void)size, (void)none;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[index];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0) continue;
        // Whole pages only: the last one of a segment may be shared with the next.
        uintptr_t start = (object->dlpi_addr + segment->p_vaddr + page - 1) / page * page;
        uintptr_t end = (object->dlpi_addr + segment->p_vaddr + segment->p_filesz) / page * page;
        if (start < end) madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void berth_release_program_pages(void) { dl_iterate_phdr(release_segments, NULL); }
