import MCP

/// Session ids that clients send: what is parsed is what would be written.
enum SessionIDCheck {
    static func text(_ bytes: [UInt8]) throws(Finding) {
        if let (signed, id) = SignedSessionID.parse(bytes.span) {
            try require(id.upperBound == bytes.count && !id.isEmpty, "the id ends at \(id)")
            var serverID = Array(bytes[id])
            if !signed.carriesIDVerbatim {
                var space = [UInt8](repeating: 0, count: serverID.count)
                var output = space.mutableSpan
                // What no server can have issued is refused before it is sent on.
                guard let count = SignedSessionID.decodeID(serverID.span, into: &output) else { return }
                serverID = Array(space[..<count])
            }
            try require(SessionIdentifier.isValid(serverID.span), "an id that no server may issue")
            var again = SignedSessionID(
                signing: serverID.span, keyID: signed.keyID, serverTag: signed.serverTag, issuedAt: signed.issuedAt,
                affinityKey: signed.affinityKey)
            again.isBound = signed.isBound
            again.tag = signed.tag
            try requireEqual(try written(again, serverID), latin1(bytes), "written again")
        }
        if let signed = SignedSessionID.parseParameter(bytes.span) {
            try require(SignedSessionID.parse(bytes.span) == nil, "an endpoint's signature is a session's id as well")
            try requireEqual(try written(signed, []), latin1(bytes), "written again")
        }
    }

    private static func written(_ signed: SignedSessionID, _ id: [UInt8]) throws(Finding) -> String {
        var text = [UInt8](repeating: 0, count: signed.textLength(idLength: id.count))
        var output = text.mutableSpan
        let count = signed.write(id: id.span, into: &output)
        try require(count == text.count, "a length of \(text.count), of which \(count ?? 0) were written")
        return latin1(text)
    }

    /// Targets of HTTP+SSE messages, and references to them.
    static func target(_ bytes: [UInt8]) throws(Finding) {
        let found = LegacyTarget.signatureParameter(in: bytes.span)
        if let found {
            try require(
                found.removal.lowerBound >= 0 && found.removal.upperBound <= bytes.count
                    && found.removal.lowerBound <= found.value.lowerBound
                    && found.value.upperBound <= found.removal.upperBound, "\(found) of \(bytes.count)")
        }
        if let session = LegacyTarget.sessionParameter(in: bytes.span) {
            try require(session.upperBound <= bytes.count, "\(session) of \(bytes.count)")
        }
        // What a server sends as an endpoint becomes a path of its own, or nothing.
        guard let path = EndpointReference.resolve(data: bytes.span, against: Array("/sse?x=1".utf8).span) else {
            return
        }
        try require(path.first == UInt8(ascii: "/"), "a path of \(latin1(path).debugDescription)")
        try require(path.allSatisfy { $0 > 0x20 && $0 < 0x7f }, "a path of \(latin1(path).debugDescription)")
    }
}
