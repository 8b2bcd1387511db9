/// A word that the tree says otherwise.
struct BannedWord: Sendable {
    enum Kind: Sendable {
        /// As a word of prose or as a part of a name, in any case: `seal` is in "Seal it", `sealKey` and `SEAL_KEY`.
        case word
        /// As a whole name in code, in this case.
        case name
        /// As it stands, in any case.
        case phrase
    }

    let text: String
    let kind: Kind
    /// What the field says.
    let instead: String
    /// Where it is banned, by beginning of the path; empty: everywhere.
    var within: [String] = []

    static func words(_ words: String, _ instead: String, within: [String] = []) -> [BannedWord] {
        list(words, .word, instead, within)
    }

    static func names(_ names: String, _ instead: String, within: [String] = []) -> [BannedWord] {
        list(names, .name, instead, within)
    }

    private static func list(_ words: String, _ kind: Kind, _ instead: String, _ within: [String]) -> [BannedWord] {
        words.split(separator: " ").map { BannedWord(text: "\($0)", kind: kind, instead: instead, within: within) }
    }
}

extension BannedWord {
    /// The words that were this project's own, and the field's for them. A newcomer must be able to guess every name.
    static let all: [BannedWord] = [
        words("toil toils toiling toilers", "deferred work"),
        [BannedWord(text: "dear work", kind: .phrase, instead: "deferred work")],
        words("stranger strangers", "hasServedNothing, isLowPriority; unknown"),
        names("Letter LetterCheck readMail", "WorkerMessage, PatternCheck, processMailbox"),
        words("letter letters mail", "message", within: ["Sources/Proxy/"]),
        names("neighbours", "peers"),
        words("announcing announcement announcements readAnnouncement", "PROXY protocol header"),
        words("farewell farewells", "final GOAWAY"),
        names("clientLeft fallOut hasLeft Leaving", "clientDisconnected, markBroken, hasSentFinalGoAway, ClientClose"),
        words("multiplex multiplexes multiplexing", "HTTP/2 connection"),
        words("heed heeds heeded", "handle"),
        names("goOn dissolve moveOn feed", "continue, tearDown, resumeStream, receiveFrames"),
        words("owed", "unreturned"),
        names("openWindow hasTakenSome", "returnWindow, noteProgress", within: ["Sources/"]),
        words("room rooms roomy", "credit, capacity or space"),
        words("stash stashes stashed unstash", "saveInput, restoreInput"),
        names("letGo recall", "releaseRequest, reloadRequest"),
        names(
            "shakeHands beginSpeaking answerInClear", "continueHandshake, startNegotiatedProtocol, rejectPlaintextHTTP"),
        [BannedWord(text: "shakes hands", kind: .phrase, instead: "does a handshake")],
        names(
            "Delivering Securing secured absorbsUnasked complain quietUntil", "ClientWrites, UpstreamTLS, handshakeDone"
        ),
        names("Serving transmit Passing Passage Placing placeFreely obtain", "UpstreamIO, Splice, ServerSelection"),
        words("seal seals sealed sealing unsealed SealingKey SessionKeeper", "sign, signed"),
        names("SessionTreatment treatSession recalled", "SessionHeaderAction, decideSessionHeader, lookUp"),
        words("mint mints minted minting", "issue, issued"),
        names("spoil cutShort abandonLost refuseAndGoOn interims", "rejectResponse, abortResponse, informationalCount"),
        names("expectSilence expectQuietness expectProgress heardAt", "armIdleTimeout, lastUpstreamActivity"),
        words("patience", "timeout"),
        words("reminder reminders", "timer"),
        words("board boards", "metrics"),
        names("BoardView Figure SharedFigure Incident", "MetricsWriter, ServerMetric, SharedMetric, AbuseCounter"),
        words("incident incidents", "abuse counter"),
        names("lend welcome dismissClient", "acquire, admit, releaseClient"),
        names("Arrival Dialled", "AcceptResult, PoolDialResult"),
        names("RequestNotes ResponseNotes HTTPFault FoldedText oddity", "RequestFieldValidator, HTTPParseError"),
        names(
            "RequestText ResponseText FrameWalk HTTP2Misdeed", "HTTP1RequestWriter, FrameCounter, HTTP2ProtocolEvent"),
        words("misdeed misdeeds forgive forgives", "protocol event, refund"),
        words("era eras", "protocol revision"),
        names("Reply Lot Mix Panic", "ErrorResponse, Score, SplitMix64, PanicThreshold"),
        words("transit", "memory BIO", within: ["Sources/"]),
        words("belongings misgiving misgivings", "extra data, rejection"),
        names("Watched Staples", "ReloadingFiles, OCSPStaples"),
        words("ledger tally lane lanes", "statistics, counters, connection group"),
        names("Lies", "FaultyServer"),
        words("objection objections obstacle obstacles PlaceTree", "ValidationError, Problem, PositionTree"),
        words("rage rages sips", "runTraffic, slowReader", within: ["Tests/"]),
        [BannedWord(text: "empty house", kind: .phrase, instead: "no leaks")],
        names("proven sessions_gone broken_handshakes sessionsGone brokenHandshakes", "checked, sessions_not_found"),
        words(
            "endpoint endpoints", "server: the endpoint is MCP's",
            within: [
                "Sources/Balancing/", "Sources/Telemetry/", "Sources/Admin/", "Sources/Kernel/", "Sources/Reactor/",
                "Sources/TLS/", "Sources/Proxy/Control/", "Sources/Proxy/Routing/", "Sources/Proxy/Snapshot/",
                "Sources/Proxy/Upstream/", "Tests/BalancingTests/",
            ]),
    ].flatMap { $0 }

    /// Legitimate uses: the word, the beginning of the path, and why.
    static let allowed: [(word: String, path: String, reason: String)] = [
        ("room", "Sources/LoadReport/", "space in a line or a chart"),
        ("Figure", "Sources/LoadReport/", "a number as a report shows it"),
        ("Figure", "Tests/LoadReportTests/", "a number as a report shows it"),
        ("lane", "Sources/Load/Figures/", "the element of a SIMD vector"),
        ("transit", "Sources/HTTP/HTTP2/HTTP2ClientLimits.swift", "bytes on their way, as in \"in transit\""),
        ("seal", "Sources/Configuration/Decoding/", "what a configuration may still say, recognised for the message"),
        ("sealed", "Sources/Configuration/Decoding/", "what a configuration may still say, recognised for the message"),
        ("sealed", "Tests/ConfigurationTests/broken/", "a configuration of old names"),
        ("sealed", "Sources/Proxy/Proxy.docc/Changelog.md", "an old name beside the new one"),
        ("proven", "Sources/Proxy/Proxy.docc/Changelog.md", "an old name beside the new one"),
        ("sessions_gone", "Sources/Proxy/Proxy.docc/Changelog.md", "an old name beside the new one"),
        ("broken_handshakes", "Sources/Proxy/Proxy.docc/Changelog.md", "an old name beside the new one"),
    ]
}
