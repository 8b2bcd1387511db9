import HTTP
import Reactor

/// HTTP/2 frames on their way to clients.
extension Worker where Outside: ~Copyable {
    /// Bytes of frames gathered for one write.
    private static var framesPerWrite: Int { 131_072 }

    mutating func markDirty(_ m: Handle) {
        guard !clients.http2Connections[m].isDirty else { return }
        clients.http2Connections[m].isDirty = true
        clients.dirtyHTTP2Connections.append(m)
    }

    /// Sends the frames of this turn, one write a connection.
    mutating func sendFrames() {
        guard !clients.dirtyHTTP2Connections.isEmpty else { return }
        swap(&clients.dirtyHTTP2Connections, &clients.flushingHTTP2Connections)
        for m in clients.flushingHTTP2Connections where clients.http2Connections.contains(m) {
            clients.http2Connections[m].isDirty = false
            sendFrames(m)
        }
        clients.flushingHTTP2Connections.removeAll(keepingCapacity: true)
    }

    private mutating func sendFrames(_ m: Handle) {
        let c = clients.http2Connections[m].connection
        // The socket's next writable event marks it again.
        guard clients.contains(c) else { return }
        guard clients[c].output.isEmpty else {
            // It does not read: what there is to say about that would not be heard.
            if clients.http2Connections[m].isBroken { linger(c) }
            return
        }
        io.composed.clear()
        io.events.removeAll()
        clients.http2Connections[m].session.send(into: &io.composed, limit: Worker.framesPerWrite, events: &io.events)
        let isLong = io.composed.count >= Worker.framesPerWrite
        write(c)
        handleEvents(m)
        guard clients.http2Connections.contains(m), clients.contains(c) else { return }
        if clients.http2Connections[m].isBroken || clients.http2Connections[m].session.isFinished {
            linger(c)
        } else if isLong {
            markDirty(m)
        }
    }
}
