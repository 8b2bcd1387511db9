import Balancing
import Kernel
import Reactor

/// A server that went down and whose exchanges are being ended.
struct DownServer {
    let server: Int
    /// The slot of the exchange to look at next.
    var nextExchange = 0
}

/// What becomes of the exchanges of a server that went down, where the operator wants them to end
/// (`health_check.on_down = "close"`). Left alone, they may still be answered: a server that answers no check may only
/// be busy.
extension Worker where Outside: ~Copyable {
    /// Exchanges that are looked at in one turn: it must not keep the others waiting.
    private static var exchangesPerTurn: Int { 1_024 }

    /// A server went down by the count that all workers share: every worker ends its exchanges, if they are to end.
    mutating func endExchangesEverywhere(of server: Int) {
        guard healthCheckPlan(server).onDown == .close else { return }
        endExchanges(of: server)
        for peer in inbox.peers { peer.postAlways(.serverDown(server: server)) }
    }

    /// Ends this worker's exchanges of a server, from the end of this turn on.
    mutating func endExchanges(of server: Int) {
        guard servers.slots.contains(server), !servers.goingDown.contains(where: { $0.server == server }) else {
            return
        }
        servers.goingDown.append(DownServer(server: server))
    }

    /// Ends some exchanges of servers that went down.
    mutating func settleDownServers() {
        guard var down = servers.goingDown.first else { return }
        let end = min(exchanges.slots, down.nextExchange + Worker.exchangesPerTurn)
        while down.nextExchange < end {
            if let exchange = exchanges.handle(inSlot: down.nextExchange),
                Int(exchanges[exchange].server) == down.server
            {
                act(on: exchange, .serverWentDown)
                io.received.clear()
            }
            down.nextExchange += 1
        }
        if down.nextExchange < exchanges.slots {
            servers.goingDown[0] = down
        } else {
            servers.goingDown.removeFirst()
        }
    }
}
