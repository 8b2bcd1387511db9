/// The files a server's context is made of, and how it is made of them.
package struct TLSFiles: Equatable, Sendable {
    /// PEM files: a chain, leaf first, and its key; and an OCSP response in DER form, if there is one to show.
    package struct Pair: Equatable, Sendable {
        package var certificate: String
        package var key: String
        package var staple: String?

        package init(certificate: String, key: String, staple: String? = nil) {
            self.certificate = certificate
            self.key = key
            self.staple = staple
        }
    }

    /// The first is the default.
    package var pairs: [Pair]
    package var options: TLSOptions

    package init(_ pairs: [Pair], options: TLSOptions) {
        self.pairs = pairs
        self.options = options
    }
}

extension TLSFiles: ReloadableFiles {
    package var paths: [String] {
        var paths = pairs.flatMap { [$0.certificate, $0.key] }
        if case .file(let authorities) = options.clients?.authorities { paths.append(authorities) }
        return paths + pairs.compactMap(\.staple)
    }

    /// OCSP responses: whoever is not shown one asks the authority, or goes on without.
    package var dispensable: Range<Int> {
        let count = paths.count
        return count - pairs.count { $0.staple != nil }..<count
    }

    package func context(of contents: [[UInt8]?]) throws(TLSError) -> TLSContext {
        var options = options
        if case .file(let path) = options.clients?.authorities {
            options.clients?.authorities = .read(file: path, contents[2 * pairs.count] ?? [])
        }
        return try TLSContext(identities(of: contents), options: options)
    }

    package func problem(of context: TLSContext, at now: Int64) -> TLSError? {
        for certificate in context.certificates {
            if let problem = certificate.problem(at: now) {
                return TLSError(action: problem.action, reason: "\(certificate.subject): \(problem.reason)")
            }
        }
        return nil
    }

    package func isUsable(_ index: Int, in contents: [[UInt8]?]) -> Bool {
        var staple = dispensable.lowerBound
        for (pair, identity) in zip(pairs, identities(of: contents)) where pair.staple != nil {
            if staple == index { return (try? StapledResponse.inspect(identity)) != nil }
            staple += 1
        }
        return false
    }

    private func identities(of contents: [[UInt8]?]) -> [TLSIdentity] {
        var staple = dispensable.lowerBound
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
