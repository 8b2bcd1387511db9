import Kernel
import MCP
import Reactor
import TLS
import Telemetry

/// Who has a session.
enum SessionOwner {
    /// The server in this slot.
    case server(Int, SessionKey)
    /// A server that is not in the configuration any more, or that an operator has disabled.
    case removed(SessionKey)
    /// No server: forged, signed with a key that is gone, or never heard of.
    case unknown
}

/// Tells whose a session is, and makes the ids by which that can be told. One per worker, by value; what workers must
/// share about learned ids is in the table, behind locks.
struct SessionAffinity {
    /// What is known of an upstream's sessions. Servers are found by the tag that signed ids carry.
    private struct Rules {
        var mode = SessionAffinityMode.off
        var idle = Interval.unlimited
        /// Ascending, and the servers beside them.
        var tags: [UInt64] = []
        var servers: [ServerID] = []
        var members: Set<ServerID> = []
        /// Members whose sessions are lost, by order.
        var disabled: Set<ServerID> = []

        func server(withTag tag: UInt64) -> ServerID? {
            var low = 0
            var high = tags.count
            while low < high {
                let middle = (low + high) / 2
                if tags[middle] < tag { low = middle + 1 } else { high = middle }
            }
            return low < tags.count && tags[low] == tag ? servers[low] : nil
        }
    }

    private let keys: [SigningKey]
    /// By the upstream's slot.
    private var rules: [Rules] = []
    private let learned: LearnedSessions?
    private let metrics: MetricsWriter

    init(_ snapshot: Snapshot, _ metrics: MetricsWriter) {
        self.metrics = metrics
        keys = snapshot.keys
        learned = snapshot.learned
        for upstream in snapshot.upstreams {
            let slot = Int(upstream.id.slot)
            while rules.count <= slot { rules.append(Rules()) }
            let servers = snapshot.servers[upstream.servers].sorted { $0.tag < $1.tag }
            rules[slot] = Rules(
                mode: upstream.affinity, idle: upstream.sessionIdle, tags: servers.map(\.tag),
                servers: servers.map(\.id), members: Set(servers.map(\.id)),
                disabled: Set(servers.filter(\.isDisabled).map(\.id)))
        }
    }

    /// The owner of a Streamable HTTP session, by the id the client sent. `subject`: who has sent it, if that is known; a session
    /// of somebody else has no owner.
    func owner(
        ofSession buffer: borrowing ByteBuffer, _ range: Range<Int>, in upstream: Int, now: Instant,
        of subject: SubjectDigest? = nil
    ) -> SessionOwner {
        let text = buffer.span.extracting(range)
        switch rules[upstream].mode {
        case .learned:
            guard let subject else { return lookUp(text, in: upstream, now: now) }
            return lookUp(subject.qualified(text).span, in: upstream, now: now)
        case .signed:
            guard let (signed, id) = SignedSessionID.parse(text) else { return .unknown }
            return verify(signed, covering: text.extracting(id), in: upstream, of: subject)
        case .off:
            return .unknown
        }
    }

    /// The owner of an HTTP+SSE session, by the target of a message: our signature in its query, or the server's own
    /// parameter if ids are learned.
    func owner(
        ofLegacy buffer: borrowing ByteBuffer, _ range: Range<Int>, in upstream: Int, now: Instant,
        of subject: SubjectDigest? = nil
    ) -> SessionOwner {
        let target = buffer.span.extracting(range)
        switch rules[upstream].mode {
        case .learned:
            guard let value = LegacyTarget.sessionParameter(in: target) else { return .unknown }
            guard let subject else { return lookUp(target.extracting(value), in: upstream, now: now) }
            return lookUp(subject.qualified(target.extracting(value)).span, in: upstream, now: now)
        case .signed:
            guard let (cut, value) = LegacyTarget.signatureParameter(in: target),
                let signed = SignedSessionID.parseParameter(target.extracting(value))
            else { return .unknown }
            // The signature is appended last, and covers all that stands before it. What stands behind it was added by
            // somebody else, and is not passed on as if it were signed.
            guard cut.upperBound == target.count else { return .unknown }
            return verify(signed, covering: target.extracting(0..<cut.lowerBound), in: upstream, of: subject)
        case .off:
            return .unknown
        }
    }

    private func verify(
        _ signed: SignedSessionID, covering bytes: Span<UInt8>, in upstream: Int, of subject: SubjectDigest?
    ) -> SessionOwner {
        guard signed.isBound == (subject != nil) else { return .unknown }
        for key in keys where key.id == signed.keyID {
            guard signed.hasTag(SessionAffinity.tag(signed, covering: bytes, with: key, of: subject)) else { continue }
            let key = SessionAffinity.key(signed.tag, in: upstream)
            guard let server = rules[upstream].server(withTag: signed.serverTag) else { return .removed(key) }
            return owner(server, key, in: upstream)
        }
        return .unknown
    }

    private func owner(_ server: ServerID, _ key: SessionKey, in upstream: Int) -> SessionOwner {
        if !rules[upstream].disabled.isEmpty, rules[upstream].disabled.contains(server) { return .removed(key) }
        return .server(Int(server.slot), key)
    }

    /// The signature says as much about a session as its id: the key follows from it. Two upstreams may have the same
    /// server.
    private static func key(_ tag: (UInt64, UInt64), in upstream: Int) -> SessionKey {
        SessionKey(high: tag.0, low: tag.1 ^ mark(upstream))
    }

    private static func mark(_ upstream: Int) -> UInt64 {
        UInt64(truncatingIfNeeded: upstream) &* 0x9e37_79b9_7f4a_7c15
    }

    /// The signature of a signed session's id, by its key: what all Berths with the same keys have for it, whichever slots their
    /// upstreams have.
    static func commonKey(ofSigned key: SessionKey, in upstream: Int) -> SessionKey {
        SessionKey(high: key.high, low: key.low ^ mark(upstream))
    }

    private static func tag(
        _ signed: SignedSessionID, covering bytes: Span<UInt8>, with key: SigningKey, of subject: SubjectDigest?
    ) -> (UInt64, UInt64) {
        let header = signed.authenticatedHeader()
        // The flags say that a digest follows, so that its bytes cannot pass for others.
        if let subject {
            let bound = subject.qualifying(header.bytes.span.extracting(0..<header.count))
            return key.authenticator.tag(bound.span, bytes)
        }
        return key.authenticator.tag(header.bytes.span.extracting(0..<header.count), bytes)
    }

    /// Appends the signed form of a server's id.
    func sign(
        _ buffer: borrowing ByteBuffer, _ range: Range<Int>, for serverTag: UInt64, issuedAt: UInt32,
        affinityKey: UInt64, in upstream: Int, of subject: SubjectDigest? = nil, to output: inout ByteBuffer
    ) -> SignResult {
        let id = buffer.span.extracting(range)
        guard let key = keys.first, SessionIdentifier.isValid(id) else { return .unsigned }
        var signed = SignedSessionID(
            signing: id, keyID: key.id, serverTag: serverTag, issuedAt: issuedAt,
            affinityKey: affinityKey == 0 ? nil : affinityKey)
        signed.isBound = subject != nil
        // An id that is not carried verbatim is covered in its encoded form: what the parser sees is what is verified.
        if signed.carriesIDVerbatim {
            signed.tag = SessionAffinity.tag(signed, covering: id, with: key, of: subject)
            return SessionAffinity.append(signed, id, in: upstream, to: &output)
        }
        let start = output.count
        guard case .signed = SessionAffinity.append(signed, id, in: upstream, to: &output) else { return .unsigned }
        let prefix = signed.encodedPrefix().count
        signed.tag = SessionAffinity.tag(
            signed, covering: output.span.extracting((start + prefix)..<output.count), with: key, of: subject)
        output.truncate(to: start)
        return SessionAffinity.append(signed, id, in: upstream, to: &output)
    }

    private static func append(
        _ signed: SignedSessionID, _ id: Span<UInt8>, in upstream: Int, to output: inout ByteBuffer
    ) -> SignResult {
        let length = signed.textLength(idLength: id.count)
        output.reserve(length)
        var space = output.space
        guard let written = signed.write(id: id, into: &space) else { return .unsigned }
        output.commit(written)
        return .signed(key(signed.tag, in: upstream))
    }

    /// Appends the query parameter that vouches for a legacy endpoint, `target` being its path and query.
    func signEndpoint(
        _ target: [UInt8], for serverTag: UInt64, issuedAt: UInt32, of subject: SubjectDigest? = nil,
        to output: inout ByteBuffer
    ) {
        guard let key = keys.first else { return }
        var signed = SignedSessionID(
            legacyEndpointWithKeyID: key.id, serverTag: serverTag, issuedAt: issuedAt, affinityKey: nil)
        signed.isBound = subject != nil
        signed.tag = SessionAffinity.tag(signed, covering: target.span, with: key, of: subject)
        output.append(LegacyTarget.signatureSeparator(for: target.span))
        output.append(LegacyTarget.signatureParameterName)
        output.append(UInt8(ascii: "="))
        let prefix = signed.encodedPrefix()
        for index in 0..<prefix.count { output.append(prefix.bytes[index]) }
    }

    /// The server's own id out of a signed one that was verified before.
    static func appendID(of buffer: borrowing ByteBuffer, _ range: Range<Int>, to output: inout ByteBuffer) {
        let text = buffer.span.extracting(range)
        guard let (signed, inner) = SignedSessionID.parse(text) else { return }
        let id = text.extracting(inner)
        if signed.carriesIDVerbatim {
            output.append(id)
            return
        }
        output.reserve(id.count)
        var space = output.space
        if let count = SignedSessionID.decodeID(id, into: &space) { output.commit(count) }
    }

    /// Whether a signed id that the client sent is for the id that the server answers with.
    static func matches(
        _ signed: borrowing ByteBuffer, _ signedRange: Range<Int>, of plain: borrowing ByteBuffer,
        _ plainRange: Range<Int>
    ) -> Bool {
        let text = signed.span.extracting(signedRange)
        let id = plain.span.extracting(plainRange)
        guard let (signed, range) = SignedSessionID.parse(text) else { return false }
        guard signed.carriesIDVerbatim else { return isEncoding(text.extracting(range), of: id) }
        guard range.count == id.count else { return false }
        for index in 0..<id.count where text[range.lowerBound + index] != id[index] { return false }
        return true
    }

    private static func isEncoding(_ encoded: Span<UInt8>, of id: Span<UInt8>) -> Bool {
        var decoded = ByteBuffer(capacity: encoded.count)
        var space = decoded.space
        guard let count = SignedSessionID.decodeID(encoded, into: &space), count == id.count else { return false }
        decoded.commit(count)
        let view = decoded.span
        for index in 0..<count where view[index] != id[index] { return false }
        return true
    }

    // MARK: - Learned

    private func lookUp(_ id: Span<UInt8>, in upstream: Int, now: Instant) -> SessionOwner {
        guard let learned else { return .unknown }
        let key = learned.digest(id, upstream)
        guard let found = learned.find(key, now: now, idle: rules[upstream].idle, counter: counter(upstream)) else {
            return .unknown
        }
        return rules[upstream].members.contains(found) ? owner(found, key, in: upstream) : .removed(key)
    }

    /// The key of a learned id.
    func key(ofLearned id: [UInt8], in upstream: Int) -> SessionKey { learned?.digest(id.span, upstream) ?? .none }

    /// The session is another server's from now on.
    func move(_ key: SessionKey, to server: ServerID, at now: Instant, in upstream: Int) {
        learned?.move(key, to: server, now: now, counter: counter(upstream))
    }

    /// Forgets learned sessions that were idle for their time.
    func sweep(at now: Instant) {
        learned?.sweep(now: now, idle: { idle(of: $0) }, counter: countAnywhere)
    }

    /// How long sessions of a server are remembered; those of one that is gone, for as long as any.
    func idle(of server: ServerID) -> Interval {
        var longest = Interval(nanoseconds: 0)
        for rule in rules where rule.mode != .off {
            if rule.members.contains(server) { return rule.idle }
            longest = max(longest, rule.idle)
        }
        return longest
    }

    /// Counts sessions of the servers of an upstream.
    private func counter(_ upstream: Int) -> (ServerID, Int64) -> Void { { count($0, $1, in: upstream) } }

    /// Counts sessions of whichever servers the configuration has.
    func countAnywhere(_ server: ServerID, _ change: Int64) {
        guard rules.contains(where: { $0.members.contains(server) }) else { return }
        metrics.add(.sessions, server: Int(server.slot), change)
    }

    /// Remembers whose an id is.
    func learn(
        _ id: [UInt8], server: ServerID, at now: Instant, in upstream: Int, endsWithStream: Bool = false
    ) -> LearnResult {
        learned?.insert(
            id.span, of: upstream, server: server, now: now, idle: rules[upstream].idle, endsWithStream: endsWithStream,
            counter: counter(upstream)) ?? .full
    }

    /// Remembers that the server with a tag has a session that another Berth saw begin. `keepsLost`: also if no server has it.
    func learn(
        _ id: [UInt8], ownedBy tag: UInt64, at now: Instant, in upstream: Int, isCounted: Bool, keepsLost: Bool = false
    ) {
        let server = rules[upstream].server(withTag: tag)
        guard server != nil || keepsLost else { return }
        _ = learn(id, server: server ?? ServerID.none, at: now, in: upstream, endsWithStream: !isCounted)
    }

    /// Forgets an id whose session its client has ended.
    func forget(_ id: [UInt8], in upstream: Int) {
        learned?.remove(id.span, of: upstream, counter: counter(upstream))
    }

    /// A server answered 404 to a request with this id. It may have meant the page: a session that goes on to be used is
    /// kept.
    func doubt(_ id: [UInt8], at now: Instant, in upstream: Int) {
        learned?.doubt(
            id.span, of: upstream, now: now, idle: rules[upstream].idle, forgetAfter: .seconds(300))
    }

    /// Counts sessions of servers that the configuration has: the slot of another may have gone to somebody else.
    private func count(_ server: ServerID, _ change: Int64, in upstream: Int) {
        guard rules[upstream].members.contains(server) else { return }
        metrics.add(.sessions, server: Int(server.slot), change)
    }
}

/// What came of signing an id.
enum SignResult {
    case signed(SessionKey)
    /// There is no key, or the id is none; nothing was appended.
    case unsigned
}

/// What came of learning an id.
enum LearnResult {
    case learned
    /// The table is full of sessions that are alive.
    case full
}
