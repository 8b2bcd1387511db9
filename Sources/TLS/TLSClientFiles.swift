/// The files a client's context is made of.
package struct TLSClientFiles: Equatable, Sendable {
    /// A certificate chain, leaf first, and its key, for servers that request a certificate.
    package var pair: TLSFiles.Pair?
    /// The authorities to trust if `authorities` is nil.
    package var trust: TLSClientContext.Trust
    /// The path of a PEM file with the authorities to trust, and no others; nil: `trust` decides.
    package var authorities: String?
    /// The protocol options of the context.
    package var options = TLSOptions()

    /// Stores all three; `otherwise` is the trust without a file of authorities.
    package init(pair: TLSFiles.Pair?, authorities: String?, otherwise trust: TLSClientContext.Trust) {
        self.pair = pair
        self.authorities = authorities
        self.trust = trust
    }
}

extension TLSClientFiles: ReloadableFiles {
    /// The paths of chain and key, then of the authorities, as far as they are set.
    package var paths: [String] { (pair.map { [$0.certificate, $0.key] } ?? []) + (authorities.map { [$0] } ?? []) }

    /// Makes a context of the contents of `paths`. Throws if they cannot be used.
    package func context(of contents: [[UInt8]?]) throws(TLSError) -> TLSClientContext {
        let identity = pair.map {
            TLSIdentity(
                certificate: .read(file: $0.certificate, contents[0] ?? []), key: .read(file: $0.key, contents[1] ?? [])
            )
        }
        var trust = trust
        if authorities != nil { trust = .certificates(contents.last.flatMap { $0 } ?? []) }
        return try TLSClientContext(trust: trust, identity: identity, options: options)
    }

    /// Says why the client's certificate is not valid at `now` (seconds since 1970); nil if it is, or there is none.
    package func problem(of context: TLSClientContext, at now: Int64) -> TLSError? {
        guard let certificate = context.certificate, let problem = certificate.problem(at: now) else { return nil }
        return TLSError(action: problem.action, reason: "\(certificate.subject): \(problem.reason)")
    }
}
