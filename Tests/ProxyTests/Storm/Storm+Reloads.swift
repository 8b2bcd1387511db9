import HTTP
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// Reloads in the middle of everything. None of them may change what any client sees: sessions stay where they are, also at servers
/// that drain.
extension Storm {
    /// Has the worker work by another snapshot, most often one that differs in something.
    func reload() {
        let choice = Int.random(in: 0..<4, using: &reloads)
        let server = Int.random(in: 0..<Storm.servers, using: &reloads)
        let weight = Int32.random(in: 1...5, using: &reloads)
        do {
            try stage.reload { snapshot in
                switch choice {
                case 0: break
                case 1: snapshot.servers[server].weight = weight
                case 2:
                    for index in snapshot.servers.indices
                    where snapshot.servers[index].upstream == snapshot.servers[server].upstream {
                        snapshot.servers[index].isOrderedToDrain = index == server
                    }
                default:
                    for index in snapshot.servers.indices { snapshot.servers[index].isOrderedToDrain = false }
                    snapshot.listeners[0].limits.fields = 90 + Int(weight)
                }
            }
        } catch {
            Issue.record("seed \(stage.network.seed): \(error)")
        }
    }
}
