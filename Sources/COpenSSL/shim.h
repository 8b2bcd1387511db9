// OpenSSL 3, with its function-like macros as functions and its computed constants as constants. No logic.
#pragma once
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bio.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/ocsp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/pemerr.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static const uint64_t berth_SSL_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION;
static const uint64_t berth_SSL_OP_NO_COMPRESSION = SSL_OP_NO_COMPRESSION;
static const uint64_t berth_SSL_OP_CIPHER_SERVER_PREFERENCE = SSL_OP_CIPHER_SERVER_PREFERENCE;
static const uint64_t berth_SSL_OP_PRIORITIZE_CHACHA = SSL_OP_PRIORITIZE_CHACHA;
static const uint64_t berth_SSL_OP_NO_TICKET = SSL_OP_NO_TICKET;
static const unsigned long berth_XN_FLAG_ONELINE = XN_FLAG_ONELINE;
static const unsigned long berth_XN_FLAG_RFC2253 = XN_FLAG_RFC2253;

static inline int berth_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}
static inline int berth_SSL_CTX_set_max_proto_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_max_proto_version(context, version);
}
static inline void berth_SSL_CTX_set_mode(SSL_CTX *context, long mode) { SSL_CTX_set_mode(context, mode); }
static inline void berth_SSL_CTX_clear_mode(SSL_CTX *context, long mode) { SSL_CTX_clear_mode(context, mode); }
static inline void berth_SSL_CTX_set_read_ahead(SSL_CTX *context, long on) { SSL_CTX_set_read_ahead(context, on); }
static inline void berth_SSL_CTX_set_session_cache_mode(SSL_CTX *context, long mode) {
    SSL_CTX_set_session_cache_mode(context, mode);
}
static inline int berth_SSL_CTX_set1_groups_list(SSL_CTX *context, const char *list) {
    return (int)SSL_CTX_set1_groups_list(context, list);
}
static inline int berth_SSL_CTX_add1_chain_cert(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}
static inline int berth_SSL_set_tlsext_host_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}
static inline void berth_SSL_CTX_set_servername_callback(SSL_CTX *context, int (*choose)(SSL *, int *, void *),
                                                         void *argument) {
    SSL_CTX_set_tlsext_servername_callback(context, choose);
    SSL_CTX_set_tlsext_servername_arg(context, argument);
}
static inline void berth_SSL_CTX_set_status_callback(SSL_CTX *context, int (*staple)(SSL *, void *)) {
    SSL_CTX_set_tlsext_status_cb(context, staple);
}
/// Gives the session a copy of an OCSP response; 0 if there is no memory for it.
static inline int berth_SSL_staple(SSL *ssl, const unsigned char *response, size_t count) {
    void *copy = OPENSSL_memdup(response, count);
    return copy != NULL && SSL_set_tlsext_status_ocsp_resp(ssl, copy, (int)count) == 1;
}
/// Gives an HMAC its key; the digest is SHA-256.
static inline int berth_EVP_MAC_init(EVP_MAC_CTX *context, const unsigned char *key, size_t count) {
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key, count),
                               OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0),
                               OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(context, parameters);
}
static inline long berth_SSL_CTX_sess_hits(SSL_CTX *context) { return SSL_CTX_sess_hits(context); }
static inline long berth_BIO_get_mem_data(BIO *bio, char **bytes) { return BIO_get_mem_data(bio, bytes); }
static inline EVP_PKEY *berth_EVP_EC_gen(const char *curve) { return EVP_EC_gen(curve); }
static inline int berth_SSL_get_ex_new_index(CRYPTO_EX_free *release) {
    return SSL_get_ex_new_index(0, NULL, NULL, NULL, release);
}
static inline int berth_SSL_CTX_get_ex_new_index(CRYPTO_EX_free *release) {
    return SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, release);
}
