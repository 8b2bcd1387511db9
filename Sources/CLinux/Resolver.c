// Questions to name servers and the reading of their answers, by glibc's resolver.
#define _GNU_SOURCE
#include "CLinux.h"
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/// Has the resolver ask this server and no other.
static int set_server(struct __res_state *state, const struct sockaddr_storage *server) {
    state->nscount = 1;
    memset(&state->nsaddr_list[0], 0, sizeof state->nsaddr_list[0]);
    if (server->ss_family == AF_INET) {
        memcpy(&state->nsaddr_list[0], server, sizeof(struct sockaddr_in));
        return 0;
    }
    // A family of zero sends the resolver to its own list, which res_nclose frees.
    struct sockaddr_in6 *address = malloc(sizeof *address);
    if (address == NULL) return -1;
    memcpy(address, server, sizeof *address);
    free(state->_u._ext.nsaddrs[0]);
    state->_u._ext.nsaddrs[0] = address;
    state->_u._ext.nssocks[0] = -1;
    state->_u._ext.nscount = 1;
    return 0;
}

int berth_dns_query(const char *name, int type, const struct sockaddr_storage *server, int seconds, int attempts,
                    uint8_t *answer, int capacity, int *failure, int *code) {
    struct __res_state state;
    memset(&state, 0, sizeof state);
    *failure = TRY_AGAIN;
    if (res_ninit(&state) != 0) {
        *code = errno;
        return -1;
    }
    state.retrans = seconds;
    state.retry = attempts;
    int count = -1;
    if (server == NULL || set_server(&state, server) == 0) {
        memset(answer, 0, capacity < 12 ? (size_t)capacity : 12);
        errno = 0;
        count = res_nsearch(&state, name, ns_c_in, type, answer, capacity);
        *failure = state.res_h_errno;
    }
    *code = errno;
    res_nclose(&state);
    return count;
}

/// The two halves of 16 bytes.
static void read_address(const uint8_t *bytes, struct berth_dns_record *record) {
    record->high = (uint64_t)ns_get32(bytes) << 32 | ns_get32(bytes + 4);
    record->low = (uint64_t)ns_get32(bytes + 8) << 32 | ns_get32(bytes + 12);
}

static int read_service(const ns_msg *message, const ns_rr *found, struct berth_dns_record *record) {
    const uint8_t *bytes = ns_rr_rdata(*found);
    if (ns_rr_rdlen(*found) < 7) return -1;
    record->priority = ns_get16(bytes);
    record->weight = ns_get16(bytes + 2);
    record->port = ns_get16(bytes + 4);
    int length = ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message), bytes + 6, record->target,
                                    sizeof record->target);
    // The target is all of the rest, whether it is compressed or not.
    return length == ns_rr_rdlen(*found) - 6 ? 0 : -1;
}

static int read_record(const ns_msg *message, const ns_rr *found, struct berth_dns_record *record) {
    const uint8_t *bytes = ns_rr_rdata(*found);
    size_t length = strlen(ns_rr_name(*found));
    if (length >= sizeof record->name) return -1;
    memset(record, 0, offsetof(struct berth_dns_record, name));
    memcpy(record->name, ns_rr_name(*found), length + 1);
    record->target[0] = 0;
    record->type = ns_rr_type(*found);
    record->ttl = ns_rr_ttl(*found);
    switch (ns_rr_type(*found)) {
    case ns_t_a:
        if (ns_rr_rdlen(*found) != 4) return -1;
        record->low = 0xffff00000000 | ns_get32(bytes);
        return 0;
    case ns_t_aaaa:
        if (ns_rr_rdlen(*found) != 16) return -1;
        read_address(bytes, record);
        return 0;
    case ns_t_srv: return read_service(message, found, record);
    default: return 0;
    }
}

int berth_dns_parse(const uint8_t *message, size_t count, struct berth_dns_record *records, int most, int *code,
                    int *truncated) {
    ns_msg parsed;
    if (count < NS_HFIXEDSZ || count > NS_MAXMSG || ns_initparse(message, (int)count, &parsed) != 0) return -1;
    *code = ns_msg_getflag(parsed, ns_f_rcode);
    *truncated = ns_msg_getflag(parsed, ns_f_tc);
    int found = 0;
    static const ns_sect sections[] = {ns_s_an, ns_s_ar};
    for (int section = 0; section < 2; section++) {
        int total = ns_msg_count(parsed, sections[section]);
        for (int index = 0; index < total && found < most; index++) {
            ns_rr record;
            if (ns_parserr(&parsed, sections[section], index, &record) != 0) return -1;
            // An OPT record (RFC 6891) has a size where the class stands.
            if (ns_rr_type(record) == ns_t_opt || ns_rr_class(record) != ns_c_in) continue;
            if (read_record(&parsed, &record, &records[found]) != 0) return -1;
            records[found].is_additional = section == 1;
            found++;
        }
    }
    return found;
}
