/// The files a client's context is made of.
package struct TLSClientFiles: Equatable, Sendable {
    /// A chain, leaf first, and its key, shown to servers that ask.
    package var pair: TLSFiles.Pair?
    /// Whose certificates are accepted where no file says so; with one, those in the file, in PEM form, and no other.
    package var trust: TLSClientContext.Trust
    package var authorities: String?
    package var options = TLSOptions()

    package init(pair: TLSFiles.Pair?, authorities: String?, otherwise trust: TLSClientContext.Trust) {
        self.pair = pair
        self.authorities = authorities
        self.trust = trust
    }
}

extension TLSClientFiles: ReloadableFiles {
    package var paths: [String] { (pair.map { [$0.certificate, $0.key] } ?? []) + (authorities.map { [$0] } ?? []) }

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

    package func problem(of context: TLSClientContext, at now: Int64) -> TLSError? {
        guard let certificate = context.certificate, let problem = certificate.problem(at: now) else { return nil }
        return TLSError(action: problem.action, reason: "\(certificate.subject): \(problem.reason)")
    }
}
