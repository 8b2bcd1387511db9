import HTTP
import Reactor

/// HTTP/2 frames on their way to clients.
extension Worker where Outside: ~Copyable {
    /// Bytes of frames gathered for one write.
    private static var framesPerWrite: Int { 131_072 }

    mutating func markDirty(_ m: Handle) {
        guard !http2Connections[m].isDirty else { return }
        http2Connections[m].isDirty = true
        dirtyHTTP2Connections.append(m)
    }

    /// Sends the frames of this turn, one write a connection.
    mutating func sendFrames() {
        guard !dirtyHTTP2Connections.isEmpty else { return }
        swap(&dirtyHTTP2Connections, &flushingHTTP2Connections)
        for m in flushingHTTP2Connections where http2Connections.contains(m) {
            http2Connections[m].isDirty = false
            sendFrames(m)
        }
        flushingHTTP2Connections.removeAll(keepingCapacity: true)
    }

    private mutating func sendFrames(_ m: Handle) {
        let c = http2Connections[m].connection
        // The socket's next writable event marks it again.
        guard clients.contains(c) else { return }
        guard clients[c].output.isEmpty else {
            // It does not read: what there is to say about that would not be heard.
            if http2Connections[m].isBroken { linger(c) }
            return
        }
        composed.clear()
        events.removeAll()
        http2Connections[m].session.send(into: &composed, limit: Worker.framesPerWrite, events: &events)
        let isLong = composed.count >= Worker.framesPerWrite
        write(c)
        handleEvents(m)
        guard http2Connections.contains(m), clients.contains(c) else { return }
        if http2Connections[m].isBroken || http2Connections[m].session.isFinished {
            linger(c)
        } else if isLong {
            markDirty(m)
        }
    }
}
