import COpenSSL

/// Builds the SSL_CTXs of one listener. Owns them until `build()`.
struct ServerContextBuilder: ~Copyable {
    private struct Member {
        var context: OpaquePointer
        /// The DNS names of its certificates, sorted.
        var names: [String]
        /// The kinds of its certificates' keys, as OpenSSL's NIDs.
        var keyKinds: [CInt]
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
            guard !members[same].keyKinds.contains(kind) else {
                throw identity.certificate.failure(
                    "using the certificate", "another one before it has the same names and the same kind of key")
            }
            index = same
        } else {
            let context = try makeSSLContext(TLS_server_method(), options)
            members.append(Member(context: context, names: names, keyKinds: []))
            index = members.count - 1
            let extraData = try ContextExtraData.make(for: context)
            try Self.apply(options, to: context)
            if options.tickets, let tickets {
                extraData.tickets = tickets
                TicketKeys.install(in: context)
            }
        }
        try pair.install(in: members[index].context)
        members[index].keyKinds.append(kind)
        certificates.append(facts)
        staples.append(staple)
        if let staple {
            let context = members[index].context
            ContextExtraData.of(context)?.staples.add(staple, for: pair.certificate, in: context)
        }
    }

    /// Returns the default context, which owns the others. The caller frees it. Throws if no identity was added.
    mutating func build() throws(TLSError) -> OpaquePointer {
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
        // One ticket a handshake rather than OpenSSL's two: HTTP clients keep one for each server, and each ticket
        // makes a handshake a tenth more expensive.
        SSL_CTX_set_num_tickets(context, 1)
        if !options.tickets {
            SSL_CTX_set_options(context, berth_SSL_OP_NO_TICKET)
            // With TLS 1.3 and SSL_OP_NO_TICKET alone OpenSSL would still send tickets that name entries of its session
            // cache, which is off.
            SSL_CTX_set_num_tickets(context, 0)
        }
        // A ticket is valid only under the session id context that it was issued under. OpenSSL rejects resumption
        // where client certificates are requested and no session id context is set.
        let name = try options.clients?.install(in: context) ?? Array("berth".utf8)
        guard SSL_CTX_set_session_id_context(context, name, CUnsignedInt(name.count)) == 1 else {
            throw .last("naming the session context")
        }
    }
}
