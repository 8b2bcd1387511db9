import Testing

@testable import Proxy

@Suite("Exchange state")
struct ExchangeStateTests {
    /// Events that bring a new exchange into a phase.
    private static let ways: [(phase: ExchangeState.Phase, events: [ExchangeEvent])] = [
        (.started, []), (.queued, [.queued]), (.connecting, [.connecting]), (.postponed, [.redialPostponed]),
        (.sent, [.requestSent]),
        (.relaying, [.requestSent, .responseStarted]),
    ]

    private static func state(_ phase: ExchangeState.Phase) -> ExchangeState {
        var state = ExchangeState()
        for event in ways.first(where: { $0.phase == phase })?.events ?? [] { _ = state.handle(event) }
        return state
    }

    private static func name(_ action: ExchangeAction) -> String { "\(action)" }

    /// What each legal pair of phase and event leads to.
    private static let table: [(ExchangeState.Phase, ExchangeEvent, ExchangeState.Phase, String)] = [
        (.started, .queued, .queued, "none"), (.queued, .calledUp, .started, "none"),
        (.started, .connecting, .connecting, "none"),
        (.started, .requestSent, .sent, "none"),
        (.connecting, .requestSent, .sent, "none"), (.sent, .responseStarted, .relaying, "none"),
        (.started, .connectFailed, .started, "considerRetry"), (.connecting, .connectFailed, .started, "considerRetry"),
        (.sent, .closedBeforeResponse, .started, "considerRetry"),
        (.sent, .responseMalformed, .sent, "respond(Proxy.ExchangeFault.badServerResponse)"),
        (.relaying, .responseMalformed, .relaying, "abortResponse"),
        (.relaying, .closedDuringResponse(isEnd: true), .relaying, "finishResponse"),
        (.relaying, .closedDuringResponse(isEnd: false), .relaying, "abortResponse"),
        (.relaying, .responseEnded, .relaying, "finishResponse"),
        (.queued, .timedOut, .queued, "respond(Proxy.ExchangeFault.queueTimeout)"),
        (.sent, .timedOut, .sent, "respond(Proxy.ExchangeFault.firstByteTimeout)"),
        (.relaying, .timedOut, .relaying, "checkSilence"), (.started, .timedOut, .started, "none"),
        (.connecting, .timedOut, .connecting, "none"),
        (.sent, .requestBodyFailed(.bodyTimeout), .sent, "respond(Proxy.ExchangeFault.bodyTimeout)"),
        (.relaying, .requestBodyFailed(.bodyTimeout), .relaying, "resetClient"),
        (.started, .recoveryBegan, .postponed, "none"), (.sent, .recoveryBegan, .postponed, "none"),
        (.started, .redialPostponed, .postponed, "none"), (.postponed, .timedOut, .started, "redial"),
        (.postponed, .serverWentDown, .postponed, "none"), (.queued, .serverWentDown, .queued, "none"),
        (.sent, .serverWentDown, .sent, "respond(Proxy.ExchangeFault.serverDown)"),
        (.relaying, .serverWentDown, .relaying, "abortResponse"),
        (.relaying, .responseStalled, .relaying, "abortResponse"),
        (.sent, .streamConflict, .postponed, "none"), (.relaying, .streamStopped, .relaying, "endStream"),
        (.sent, .streamStopped, .sent, "none"),
    ]

    @Test("each legal pair of phase and event has one meaning", arguments: table.indices)
    func legal(index: Int) {
        let (phase, event, next, action) = Self.table[index]
        var state = Self.state(phase)
        #expect(state.phase == phase)
        #expect(Self.name(state.handle(event)) == action)
        #expect(state.phase == next)
    }

    @Test("a client that leaves ends the exchange in every phase", arguments: ways.map(\.phase))
    func disconnected(phase: ExchangeState.Phase) {
        var state = Self.state(phase)
        #expect(Self.name(state.handle(.clientDisconnected)) == "abandon")
    }

    @Test("as long as no response has begun, the proxy may answer", arguments: ways.map(\.phase).dropLast())
    func rejected(phase: ExchangeState.Phase) {
        var state = Self.state(phase)
        #expect(
            Self.name(state.handle(.rejected(.noServerAvailable))) == "respond(Proxy.ExchangeFault.noServerAvailable)")
    }

    @Test("a mistake of ours traps: an answer within a response, a response without a request")
    func illegal() async {
        await #expect(processExitsWith: .failure) {
            var state = ExchangeState()
            _ = state.handle(.requestSent)
            _ = state.handle(.responseStarted)
            _ = state.handle(.rejected(.queueFull))
        }
        await #expect(processExitsWith: .failure) {
            var state = ExchangeState()
            _ = state.handle(.responseStarted)
        }
    }
}
