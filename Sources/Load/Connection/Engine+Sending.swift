import Kernel
import Reactor

// Calls on their way out.
extension Engine {
    /// Sends a call over an open connection with room for it.
    mutating func send(_ call: Handle, over c: Handle) {
        if connections[c].http2 != nil { return request(call, over: c) }
        let s = calls[call].session
        let group = sessions[s].group
        composed.clear()
        forms[form(group)].append(
            calls[call].kind, id: calls[call].id, session: sessions[s].fields, path: sessions[s].target, to: &composed)
        connections[c].call = call
        connections[c].load = 1
        if connections[c].tls != nil, !encryptComposed(c) { return lose(c, .handshake) }
        sendComposed(c)
    }

    /// Sends what `composed` holds; what the socket does not take waits in the connection's output.
    mutating func sendComposed(_ c: Handle) {
        if connections[c].output.isEmpty {
            switch world.send(connections[c].descriptor, composed) {
            case .moved(let count):
                counters.bytesSent &+= UInt64(count)
                composed.consume(count)
            case .wouldBlock, .ended: break
            case .failed: return sendFailed(c)
            }
        }
        if !composed.isEmpty { connections[c].output.append(composed) }
        composed.clear()
    }

    /// Sends what waits.
    mutating func flush(_ c: Handle) {
        while !connections[c].output.isEmpty {
            switch world.send(connections[c].descriptor, connections[c].output) {
            case .moved(let count):
                counters.bytesSent &+= UInt64(count)
                connections[c].output.consume(count)
            case .wouldBlock, .ended: return
            case .failed: return sendFailed(c)
            }
        }
    }

    /// The peer may have said why before it closed: what it sent is read before the connection is given up.
    private mutating func sendFailed(_ c: Handle) {
        composed.clear()
        connections[c].output.clear()
        connections[c].mayRead = true
        connections[c].hasEnded = true
        guard !connections[c].isListed else { return }
        connections[c].isListed = true
        listed.append(c)
    }
}
