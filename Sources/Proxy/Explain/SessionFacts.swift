/// What can be said of a session's id: whose it is, and since when.
package struct SessionFacts: Sendable, Equatable, Encodable {
    /// How the id is known.
    package enum Origin: String, Sendable, Encodable {
        /// It is signed, and the signature is right.
        case signed
        /// It was learned from a server's answer.
        case learned
        /// It is no session's here; `problem` says why.
        case unknown
    }

    package var origin: Origin
    /// The upstream whose servers it is one of.
    package var upstream: String?
    /// The server that the id names, as `upstream/host:port`; nil: it is in the configuration no more.
    package var server: String?
    /// The number of the key that it is signed with.
    package var keyID: UInt8?
    /// When it was signed, in seconds since 1970.
    package var issuedAt: UInt32?
    /// The server's own id is in the text as the server has issued it.
    package var carriesIDVerbatim: Bool?
    /// What it is called in the log and in lists.
    package var digest: String?
    /// The server that has it now, if it was opened anew there.
    package var recoveredOn: String?
    /// What is recorded of it in the running process.
    package var isRecorded = false
    /// It may hold state that cannot be brought to another server.
    package var isDirty = false
    /// An operator has ordered that its client is told that it is gone.
    package var isForgotten = false
    /// Why no server can be named.
    package var problem: String?

    /// The server that its requests go to.
    package var presentServer: String? { recoveredOn ?? server }

    init(_ origin: Origin, problem: String? = nil) {
        self.origin = origin
        self.problem = problem
    }
}
