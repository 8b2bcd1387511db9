// What Linux offers and Swift's Glibc module does not export: epoll, eventfd, accept4, signalfd, and the
// socket calls whose types do not survive import. No logic: one wrapper is one system call.
#pragma once
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

// malloc_trim(3).
void berth_release_free_memory(void);
// madvise(2) with MADV_DONTNEED for what the program and its libraries have mapped of their files and nobody may write.
void berth_release_program_pages(void);

static inline int berth_epoll_add(int poller, int descriptor, uint32_t interest, uint64_t token) {
    struct epoll_event event = {.events = interest, .data = {.u64 = token}};
    return epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

static inline uint64_t berth_epoll_token(const struct epoll_event *event) { return event->data.u64; }
static inline uint32_t berth_epoll_readiness(const struct epoll_event *event) { return event->events; }

static const uint32_t berth_epoll_in = EPOLLIN, berth_epoll_out = EPOLLOUT, berth_epoll_rdhup = EPOLLRDHUP,
                      berth_epoll_hup = EPOLLHUP, berth_epoll_err = EPOLLERR, berth_epoll_edge = EPOLLET;

/// recv and send without being thread-cancellation points, which cost each call 2 % of a request in a process that has
/// threads. Nobody here cancels a thread.
ssize_t berth_receive(int descriptor, void *space, size_t count);
ssize_t berth_send(int descriptor, const void *bytes, size_t count);
/// splice(2) between a socket and a pipe, which never waits.
ssize_t berth_splice(int source, int sink, size_t count);
/// A pipe that never waits; ends[0] is its reading end.
int berth_pipe(int ends[2]);
int berth_epoll_wait(int poller, struct epoll_event *events, int most, int milliseconds);

/// The same to the nanosecond (Linux 5.11); rounded down to milliseconds where the kernel has not got it.
int berth_epoll_wait_finely(int poller, struct epoll_event *events, int most, int64_t nanoseconds);

int berth_accept(int listener, struct sockaddr_storage *peer);

/// Drops the SYNs that come to a listener, and nothing else: handshakes that were answered are completed.
int berth_refuse_handshakes(int listener);

static inline int berth_stream_socket(int family) {
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static inline int berth_bind(int descriptor, const struct sockaddr_storage *address, socklen_t length) {
    return bind(descriptor, (const struct sockaddr *)address, length);
}

static inline int berth_connect(int descriptor, const struct sockaddr_storage *address, socklen_t length) {
    return connect(descriptor, (const struct sockaddr *)address, length);
}

static inline int berth_local_address(int descriptor, struct sockaddr_storage *address) {
    socklen_t length = sizeof *address;
    return getsockname(descriptor, (struct sockaddr *)address, &length);
}

static inline int berth_set_option(int descriptor, int level, int name, int value) {
    return setsockopt(descriptor, level, name, &value, sizeof value);
}

/// The value of a socket's option that is an int; -1 where the question fails.
static inline int berth_option(int descriptor, int level, int name) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(descriptor, level, name, &value, &length) == 0 ? value : -1;
}

/// The environment's variables, the last one NULL.
static inline char *const *berth_environment(void) {
    extern char **environ;
    return environ;
}

static inline int berth_epoll_remove(int poller, int descriptor) {
    struct epoll_event event = {0};
    return epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, &event);
}

/// Two connected stream sockets that never wait and are closed on exec.
static inline int berth_socket_pair(int ends[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
}

/// Sends one datagram to a Unix socket; a path that begins with @ is in the abstract namespace (unix(7)).
int berth_send_datagram(const char *path, size_t length, const void *text, size_t count);

/// A datagram socket that never waits, connected to the Unix socket at a path; -1 where that fails.
int berth_connect_datagrams(const char *path, size_t length);

static inline int berth_datagram_socket(int family) {
    return socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static inline int berth_socket_error(int descriptor) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &value, &length) == 0 ? value : errno;
}

/// Bytes written that the peer's kernel has not acknowledged, sent or not; -1 where the question fails. Unlike
/// tcpi_unacked, which a reset clears, this still answers once the connection is gone.
int berth_unacknowledged(int descriptor);

/// The address of the Unix socket at a path, into `address`; its length, or 0 for a path that does not fit.
socklen_t berth_unix_address(const char *path, size_t length, struct sockaddr_storage *address);

/// The longest path of a Unix socket, in bytes.
size_t berth_unix_path_limit(void);

/// The user whose process connected to a Unix socket (SO_PEERCRED), or -1.
int64_t berth_peer_user(int descriptor);

/// The name that `top -H` shows; 15 characters at most.
int berth_name_thread(const char *name);

/// Has the kernel send `signal` to this process when the thread that started it ends. Kept over exec.
int berth_end_with_parent(int signal);

/// Makes this process the parent of its descendants whose own parent has ended.
int berth_adopt_orphans(void);

/// Processors this process may run on; at least 1.
int berth_available_processors(void);

/// Asks a name server for the records of a name (resolver(3)), with the search list where the name has no dot at its end. NULL: the
/// servers of /etc/resolv.conf. Blocks: each server is asked `attempts` times, for `seconds` the first time and longer then. The answer's
/// length; -1 if there is none with records, and then `failure` has the h_errno and `code` the errno. What came last is in `answer`.
int berth_dns_query(const char *name, int type, const struct sockaddr_storage *server, int seconds, int attempts,
                    uint8_t *answer, int capacity, int *failure, int *code);

/// What `failure` may be (netdb.h), by names that are no macros of pointers.
enum { berth_dns_not_found = 1, berth_dns_try_again = 2, berth_dns_no_recovery = 3, berth_dns_no_data = 4 };
enum { berth_dns_a = 1, berth_dns_aaaa = 28, berth_dns_srv = 33 };

/// One record of a DNS message (RFC 1035 section 4.1.3): of class IN, and of the types A, AAAA and SRV with what they say.
struct berth_dns_record {
    uint32_t ttl;
    uint16_t type;
    /// It stands in the additional section, not in the answer.
    uint16_t is_additional;
    /// Of A and AAAA, the address in two halves; of A as ::ffff:a.b.c.d.
    uint64_t high, low;
    /// Of SRV (RFC 2782).
    uint16_t priority, weight, port;
    char name[256], target[256];
};

/// Reads the answer and the additional section of a message, `most` records of class IN at most. How many were read; -1 if the
/// message is malformed. `code`: its RCODE; `truncated`: whether TC is set.
int berth_dns_parse(const uint8_t *message, size_t count, struct berth_dns_record *records, int most, int *code,
                    int *truncated);

static inline const char *berth_dns_record_name(const struct berth_dns_record *record) { return record->name; }
static inline const char *berth_dns_record_target(const struct berth_dns_record *record) { return record->target; }
