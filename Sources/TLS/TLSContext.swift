import COpenSSL

/// A server's SSL_CTX: certificates, ALPN, tickets. Made once, then only read, by all workers.
///
/// Certificates for the same names whose keys are of different kinds (ECDSA, RSA) share an SSL_CTX, in which OpenSSL
/// picks what the client can verify. Others have one each, picked by the name the client asks for; whoever asks for
/// none that is known gets the first.
///
/// `@unchecked Sendable`: nothing is set after `init`, and what OpenSSL itself changes in an SSL_CTX (reference
/// counts) is atomic. Sessions keep the SSL_CTX alive by themselves, so a reload may drop this at any time.
package final class TLSContext: @unchecked Sendable {
    let pointer: OpaquePointer
    /// What it shows to clients, in the order it was given.
    package let certificates: [CertificateFacts]
    /// What authorities say of `certificates`, in the same order; nil where nothing was given.
    package let staples: [StapledResponse?]

    /// Reads a chain (leaf first) and its key from PEM files.
    package convenience init(certificateFile: String, keyFile: String, options: TLSOptions) throws(TLSError) {
        try self.init([TLSIdentity(certificate: .file(certificateFile), key: .file(keyFile))], options: options)
    }

    /// Takes a chain (leaf first) and its key in PEM form.
    package convenience init(certificatePEM: [UInt8], keyPEM: [UInt8], options: TLSOptions) throws(TLSError) {
        try self.init([TLSIdentity(certificate: .bytes(certificatePEM), key: .bytes(keyPEM))], options: options)
    }

    /// Takes one identity or more; the first is the default.
    package init(_ identities: [TLSIdentity], options: TLSOptions) throws(TLSError) {
        var assembly = Assembly(options)
        for identity in identities { try assembly.add(identity) }
        certificates = assembly.certificates
        staples = assembly.staples
        pointer = try assembly.finish()
    }

    deinit { SSL_CTX_free(pointer) }

    /// Handshakes that a ticket has spared, so far.
    package var resumptions: Int { Int(berth_SSL_CTX_sess_hits(pointer)) }
}

/// The contexts of one listener in the making.
private struct Assembly: ~Copyable {
    private struct Member {
        var context: OpaquePointer
        var names: [String]
        var kinds: [CInt]
    }

    private let options: TLSOptions
    private let tickets: TicketKeys?
    private var members: [Member] = []
    private(set) var certificates: [CertificateFacts] = []
    private(set) var staples: [StapledResponse?] = []

    init(_ options: TLSOptions) {
        self.options = options
        tickets = options.ticketSecrets.map { TicketKeys($0) }
    }

    deinit {
        for member in members { SSL_CTX_free(member.context) }
    }

    mutating func add(_ identity: TLSIdentity) throws(TLSError) {
        let pair = try CertificatePair(certificate: identity.certificate, key: identity.key)
        let facts = try CertificateFacts(pair)
        let staple = try identity.staple.map { (source) throws(TLSError) in try StapledResponse(source, for: pair) }
        let kind = EVP_PKEY_get_base_id(pair.key)
        let names = Array(Set(facts.serverNames)).sorted()
        let index: Int
        if let same = members.firstIndex(where: { $0.names == names }) {
            guard !members[same].kinds.contains(kind) else {
                throw identity.certificate.failure(
                    "using the certificate", "another one before it has the same names and the same kind of key")
            }
            index = same
        } else {
            let context = try newContext(TLS_server_method(), options)
            members.append(Member(context: context, names: names, kinds: []))
            index = members.count - 1
            let extraData = try ContextExtraData.make(for: context)
            try Self.apply(options, to: context)
            if options.tickets, let tickets {
                extraData.tickets = tickets
                TicketKeys.install(in: context)
            }
        }
        try pair.install(in: members[index].context)
        members[index].kinds.append(kind)
        certificates.append(facts)
        staples.append(staple)
        if let staple {
            let context = members[index].context
            ContextExtraData.of(context)?.staples.add(staple, for: pair.certificate, in: context)
        }
    }

    /// The default context, which owns the others. The caller frees it.
    mutating func finish() throws(TLSError) -> OpaquePointer {
        guard let first = members.first else {
            throw TLSError(action: "making a TLS context", reason: "there is no certificate")
        }
        if members.count > 1 {
            let names = ServerNames()
            ContextExtraData.of(first.context)?.names = names
            for (index, member) in members.enumerated() {
                names.add(member.context, names: member.names, isOwned: index > 0)
            }
            names.install(in: first.context)
        }
        members = []
        return first.context
    }

    private static func apply(_ options: TLSOptions, to context: OpaquePointer) throws(TLSError) {
        SSL_CTX_set_options(context, berth_SSL_OP_CIPHER_SERVER_PREFERENCE | berth_SSL_OP_PRIORITIZE_CHACHA)
        try ProtocolNames(options.applicationProtocols).install(in: context)
        // One ticket a handshake, not OpenSSL's two: HTTP clients remember one a server, and each makes a handshake
        // dearer by a tenth.
        SSL_CTX_set_num_tickets(context, 1)
        if !options.tickets {
            SSL_CTX_set_options(context, berth_SSL_OP_NO_TICKET)
            // Under TLS 1.3 SSL_OP_NO_TICKET alone would still send tickets, naming cache entries we do not keep.
            SSL_CTX_set_num_tickets(context, 0)
        }
        // A ticket is good only within the context it names; OpenSSL refuses resumption where none is named.
        let name = try options.clients?.install(in: context) ?? Array("berth".utf8)
        guard SSL_CTX_set_session_id_context(context, name, CUnsignedInt(name.count)) == 1 else {
            throw .last("naming the session context")
        }
    }
}

/// What server and client contexts have in common. The caller frees the result.
func newContext(_ method: OpaquePointer?, _ options: TLSOptions) throws(TLSError) -> OpaquePointer {
    ERR_clear_error()
    guard let context = SSL_CTX_new(method) else { throw .last("making a TLS context") }
    SSL_CTX_set_options(context, berth_SSL_OP_NO_RENEGOTIATION | berth_SSL_OP_NO_COMPRESSION)
    // Idle sessions give their record buffers back, and a write may be repeated from another address.
    berth_SSL_CTX_set_mode(context, CLong(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
    berth_SSL_CTX_clear_mode(context, CLong(SSL_MODE_ENABLE_PARTIAL_WRITE))
    berth_SSL_CTX_set_read_ahead(context, 0)
    // Tickets are the only memory of a session, and clients hold them.
    berth_SSL_CTX_set_session_cache_mode(context, CLong(SSL_SESS_CACHE_OFF))
    do throws(TLSError) {
        try restrict(context, to: options)
    } catch {
        SSL_CTX_free(context)
        throw error
    }
    return context
}

private func restrict(_ context: OpaquePointer, to options: TLSOptions) throws(TLSError) {
    guard berth_SSL_CTX_set_min_proto_version(context, options.minimumVersion.number) == 1,
        berth_SSL_CTX_set_max_proto_version(context, options.maximumVersion.number) == 1
    else { throw .last("choosing TLS versions") }
    guard berth_SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1 else { throw .last("choosing groups") }
    // OpenSSL's three in OpenSSL's order, which is every other server's: AES-256 first. AES-128 with SHA-256 first would
    // spare a full handshake some 3 % of its instructions, more where processors have instructions for SHA-256.
    guard SSL_CTX_set_ciphersuites(context, TLSOptions.suites) == 1 else { throw .last("choosing cipher suites") }
    guard SSL_CTX_set_cipher_list(context, options.ciphers) == 1 else {
        throw .last("choosing ciphers", about: options.ciphers)
    }
    if let weak = weakCipher(of: context) {
        throw TLSError(action: "choosing ciphers", reason: "\(options.ciphers): \(weak) is not safe")
    }
}

/// The name of a cipher that does not encrypt, does not authenticate, or can be broken; nil if there is none.
private func weakCipher(of context: OpaquePointer) -> String? {
    let list = SSL_CTX_get_ciphers(context)
    for index in 0..<max(0, OPENSSL_sk_num(list)) {
        guard let cipher = OPENSSL_sk_value(list, index).map({ OpaquePointer($0) }) else { continue }
        let isWeak =
            SSL_CIPHER_get_bits(cipher, nil) < 128 || SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null
            || SSL_CIPHER_get_cipher_nid(cipher) == NID_rc4
        if isWeak { return String(cString: SSL_CIPHER_get_name(cipher)) }
    }
    return nil
}
