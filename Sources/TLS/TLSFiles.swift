/// The files that a server's context is made of, and its options.
package struct TLSFiles: Equatable, Sendable {
    /// The paths of a certificate chain, its key and its OCSP response.
    package struct Pair: Equatable, Sendable {
        /// The path of the chain, leaf first, in PEM form.
        package var certificate: String
        /// The path of the private key, in PEM form.
        package var key: String
        /// The path of the OCSP response, in DER form; nil: there is none.
        package var staple: String?

        /// Stores all three.
        package init(certificate: String, key: String, staple: String? = nil) {
            self.certificate = certificate
            self.key = key
            self.staple = staple
        }
    }

    /// The certificates, at least one; the first is the default.
    package var pairs: [Pair]
    /// The protocol options of the context.
    package var options: TLSOptions

    /// Stores both.
    package init(_ pairs: [Pair], options: TLSOptions) {
        self.pairs = pairs
        self.options = options
    }
}

extension TLSFiles: ReloadableFiles {
    /// The paths of chains and keys, pair by pair; then of the clients' authorities; then of the OCSP responses.
    package var paths: [String] {
        var paths = pairs.flatMap { [$0.certificate, $0.key] }
        if case .file(let authorities) = options.clients?.authorities { paths.append(authorities) }
        return paths + pairs.compactMap(\.staple)
    }

    /// The OCSP responses: a client that gets none queries the authority, or does without.
    package var optionalFiles: Range<Int> {
        let count = paths.count
        return count - pairs.count { $0.staple != nil }..<count
    }

    /// Makes a context of the contents of `paths`. Throws if they cannot be used.
    package func context(of contents: [[UInt8]?]) throws(TLSError) -> TLSContext {
        var options = options
        if case .file(let path) = options.clients?.authorities {
            options.clients?.authorities = .read(file: path, contents[2 * pairs.count] ?? [])
        }
        return try TLSContext(identities(of: contents), options: options)
    }

    /// Says which certificate is not valid at `now` (seconds since 1970), and why; nil if all are.
    package func problem(of context: TLSContext, at now: Int64) -> TLSError? {
        for certificate in context.certificates {
            if let problem = certificate.problem(at: now) {
                return TLSError(action: problem.action, reason: "\(certificate.subject): \(problem.reason)")
            }
        }
        return nil
    }

    /// Whether the OCSP response at `index` is one for its certificate.
    package func isUsable(_ index: Int, in contents: [[UInt8]?]) -> Bool {
        var staple = optionalFiles.lowerBound
        for (pair, identity) in zip(pairs, identities(of: contents)) where pair.staple != nil {
            if staple == index { return (try? StapledResponse.inspect(identity)) != nil }
            staple += 1
        }
        return false
    }

    private func identities(of contents: [[UInt8]?]) -> [TLSIdentity] {
        var staple = optionalFiles.lowerBound
        return pairs.enumerated().map { index, pair in
            var identity = TLSIdentity(
                certificate: .read(file: pair.certificate, contents[2 * index] ?? []),
                key: .read(file: pair.key, contents[2 * index + 1] ?? []))
            if let path = pair.staple {
                identity.staple = contents[staple].map { .read(file: path, $0) }
                staple += 1
            }
            return identity
        }
    }
}
