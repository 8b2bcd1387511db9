/// What Berth does with a request, and why: the answer of `berth explain`.
package struct RequestExplanation: Sendable, Equatable, Encodable {
    /// A server of the upstream, as far as its state matters for the choice.
    package struct Candidate: Sendable, Equatable, Encodable {
        /// As `upstream/host:port`.
        package var server: String
        /// Its weight.
        package var weight: Int32
        /// It gets work only where the others are down.
        package var isBackup: Bool
        /// `available`, or why it gets no new work.
        package var state: String
    }

    /// The request line without the version.
    package var method: String
    /// The request target up to its query, which may have a secret and decides nothing.
    package var target: String
    /// The host that the request names.
    package var host: String
    /// The JSON-RPC method of the body and what it names; nil: there is none.
    package var message: String?
    /// How the request is routed, and why.
    package var kind: String
    /// Why it is of that kind.
    package var kindReason: String
    /// The route that matches, in words; nil: none does.
    package var route: String?
    /// The path that servers get, where the route strips a prefix; nil: the path of the request.
    package var serverTarget: String?
    /// The limits of the route that count it, in words.
    package var limits: [String] = []
    /// The upstream that it goes to; nil: no route matches, or the route has none.
    package var upstream: String?
    /// What the id of its session says; nil: it has none that counts.
    package var session: SessionFacts?
    /// The server that gets the request, as `upstream/host:port`; nil: that depends on the moment, or there is none.
    package var server: String?
    /// Why that server, or how one is chosen.
    package var serverReason: String?
    /// The upstream's servers, where one is chosen among them.
    package var candidates: [Candidate] = []
    /// The status with which Berth answers itself; nil: it does not.
    package var status: UInt16?
    /// The reason in that answer.
    package var reason: String?
}
