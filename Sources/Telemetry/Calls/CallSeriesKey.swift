import MCP

/// What tells one series of calls from another, in one word. It is never 0 or 1.
struct CallSeriesKey: Hashable, Sendable {
    /// What is measured.
    enum Kind: UInt64 {
        /// A call, as its client sees it.
        case operation = 1
        /// A call, from when it had a connection to its server.
        case leg = 2
        /// A session, from its beginning to its end.
        case session = 3
    }

    // From the lowest bit: the name, the method, the revision, the error, the upstream, the server, the kind.
    private(set) var bits: UInt64

    init(bits: UInt64) { self.bits = bits }

    /// `revision` is the raw value of the `ProtocolRevisions` with one revision.
    @inline(__always)
    init(
        operation method: MCPMethod, name: CallNameID, revision: UInt16, error: CallErrorID, upstream: UInt16
    ) {
        let number = UInt64(truncatingIfNeeded: 16 &- revision.leadingZeroBitCount) & 7
        let what = UInt64(name.raw) & 0x3fff | UInt64(method.rawValue) << 14 | number << 19
        bits = what | UInt64(error.raw) << 22 | UInt64(upstream) << 30 | Kind.operation.rawValue << 62
    }

    /// The same call on its way to a server; `server` is its slot, -1: none.
    @inline(__always)
    func leg(to server: Int32) -> CallSeriesKey {
        let slot = UInt64(UInt16(truncatingIfNeeded: server))
        return CallSeriesKey(bits: bits & ~(3 << 62) | slot << 46 | Kind.leg.rawValue << 62)
    }

    init(session revision: UInt16, error: CallErrorID, upstream: UInt16) {
        self.init(operation: .initialize, name: .none, revision: revision, error: error, upstream: upstream)
        bits = bits & ~(3 << 62) | Kind.session.rawValue << 62
    }

    var kind: Kind { Kind(rawValue: bits >> 62) ?? .operation }
    var name: CallNameID { CallNameID(raw: UInt16(bits & 0x3fff)) }
    var method: MCPMethod { MCPMethod(rawValue: UInt8(bits >> 14 & 31)) ?? .other }
    /// The raw value of the `ProtocolRevisions` with the one revision; 0: none.
    var revision: UInt16 {
        let number = UInt16(bits >> 19 & 7)
        return number == 0 ? 0 : 1 << (number - 1)
    }
    var error: CallErrorID { CallErrorID(raw: UInt8(bits >> 22 & 255)) }
    /// The upstream's slot; `UInt16.max`: none.
    var upstream: UInt16 { UInt16(bits >> 30 & 0xffff) }
    /// The server's slot; `UInt16.max`: none.
    var server: UInt16 { UInt16(bits >> 46 & 0xffff) }

    func withName(_ name: CallNameID) -> CallSeriesKey {
        CallSeriesKey(bits: bits & ~0x3fff | UInt64(name.raw) & 0x3fff)
    }

    func withError(_ error: CallErrorID) -> CallSeriesKey {
        CallSeriesKey(bits: bits & ~(255 << 22) | UInt64(error.raw) << 22)
    }

    /// The series that takes what has none of its own, while there is still space: of failures it does not tell which, nor
    /// who failed, nor in which revision.
    var reduced: CallSeriesKey {
        let key = withName(name == .none ? .none : .other).withError(error == .none ? .none : .other)
        return CallSeriesKey(bits: key.bits & ~(7 << 19))
    }

    /// The series that takes what has none when there is no space at all.
    static func rest(_ kind: Kind) -> CallSeriesKey {
        let key = CallSeriesKey(operation: .other, name: .none, revision: 0, error: .other, upstream: .max)
        return CallSeriesKey(bits: key.bits & ~(3 << 62) | 0xffff << 46 | kind.rawValue << 62)
    }
}

/// The name of a tool or a prompt in a label, by its number.
struct CallNameID: Equatable, Sendable {
    let raw: UInt16
    /// The method has none.
    static let none = CallNameID(raw: 0)
    /// One that gets no series of its own.
    static let other = CallNameID(raw: 1)
}

/// What went wrong, by its number.
struct CallErrorID: Equatable, Sendable {
    let raw: UInt8

    static let none = CallErrorID(raw: 0)
    static let toolError = CallErrorID(raw: 1)
    static let timeout = CallErrorID(raw: 2)
    static let cancelled = CallErrorID(raw: 3)
    static let aborted = CallErrorID(raw: 4)
    static let other = CallErrorID(raw: 5)
    /// A code of the registry of JSON-RPC codes.
    static func rpc(_ index: Int) -> CallErrorID { CallErrorID(raw: 32 + UInt8(truncatingIfNeeded: index & 31)) }
    /// A status of the registry of statuses.
    static func status(_ index: Int) -> CallErrorID { CallErrorID(raw: 64 + UInt8(truncatingIfNeeded: index & 31)) }
    /// An answer of Berth's own, by the number of the reason.
    static func rejection(_ reason: UInt8) -> CallErrorID { CallErrorID(raw: 128 + min(reason, 63)) }
}
