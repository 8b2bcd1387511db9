extension ImportedConfiguration {
    /// Brings the listeners into the form of the file: one table for an address in clear and one with TLS.
    mutating func finishListeners(forwardsHTTPS: Bool) {
        for index in listeners.indices {
            if listeners[index].https != nil { listeners[index].redirect = nil }
            if listeners[index].https != nil, listeners[index].certificates.isEmpty {
                listeners[index].certificates = [
                    ImportedListener.CertificatePair(
                        certificate: "/etc/berth/mcp.pem", key: "/etc/berth/mcp.key", isAssumed: true)
                ]
            }
            if listeners[index].requestBody == 8 << 20 { listeners[index].requestBody = nil }
            let isPlain = listeners[index].http != nil && listeners[index].redirect == nil
            listeners[index].forwardsHTTPS = isPlain && forwardsHTTPS
        }
        if listeners.isEmpty {
            var listener = ImportedListener()
            listener.http = ":8080"
            listeners = [listener]
            blocks.first.map { block in
                notes.add(to: block.heading, .repaired, "no address is left to listen on: :8080 is taken")
            }
        }
        mergePair()
        let isServed = listeners.contains { $0.https != nil }
        for index in listeners.indices where listeners[index].redirect == "https" && !isServed {
            // What listens there is not in this file.
            listeners[index].redirect = "https:443"
        }
    }

    private mutating func mergePair() {
        guard listeners.count == 2 else { return }
        let secure = listeners.firstIndex { $0.https != nil }
        let plain = listeners.firstIndex { $0.http != nil }
        guard let secure, let plain, secure != plain else { return }
        var merged = listeners[secure]
        let other = listeners[plain]
        // A listener that redirects needs no settings of its own.
        var comparable = other
        (comparable.https, comparable.certificates, comparable.requiresTLS13) = (
            merged.https, merged.certificates, merged.requiresTLS13
        )
        (comparable.http, comparable.clientAuthentication, comparable.blocks) = (
            nil, merged.clientAuthentication, merged.blocks
        )
        guard other.redirect != nil || comparable == merged else { return }
        merged.http = other.http
        merged.redirect = other.redirect
        merged.blocks = plain < secure ? other.blocks + merged.blocks : merged.blocks + other.blocks
        listeners = [merged]
    }
}
