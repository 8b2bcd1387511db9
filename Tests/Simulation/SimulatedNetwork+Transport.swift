import Glibc
import Kernel
import Reactor

/// What happens on the wire: segments, acknowledgements, FIN and RST between the two ends of each connection.
extension SimulatedNetwork {
    /// Brings the clock to `time`, and lets everything happen on the way. Something that asks for itself again at the
    /// same instant would keep the clock from moving: scripts pause for a nanosecond at least.
    func runAgenda(until time: UInt64) {
        while let next = agenda.nextTime, next <= time {
            clock = max(clock, next)
            guard let occurrence = agenda.take(dueAt: next) else { break }
            occurrences += 1
            happen(occurrence)
        }
        clock = max(clock, time)
    }

    private func happen(_ occurrence: Agenda.Occurrence) {
        switch occurrence {
        case .segment(let socket, let bytes, let total): arrive(bytes, at: socket, acknowledging: total)
        case .acknowledgement(let socket, let total): acknowledge(socket, upTo: total)
        case .finish(let socket, let total): finishArrives(at: socket, acknowledging: total)
        case .reset(let socket): resetArrives(at: socket)
        case .dialArrives(let socket, let address): dialArrives(socket, at: address)
        case .knock(let peer, let attempt): knock(peer, attempt: attempt)
        case .established(let socket): establish(socket)
        case .dialFails(let socket, let code): dialFails(socket, code)
        case .givesUp(let socket): giveUp(socket)
        case .resume(let peer): peer.resume()
        case .read(let peer): peer.readOnce()
        case .call(let action): action()
        }
    }

    // MARK: Bytes

    /// Sends what the far end has space for, then the FIN if there is one to send.
    func pump(_ sender: SimulatedSocket) {
        if sender.isCut { armRetransmission(sender) }
        guard sender.phase == .established, !sender.finSent, let receiver = sender.other else { return }
        while !sender.unsent.isEmpty {
            let window = receiver.receiveCapacity - receiver.unread.count - receiver.incoming
            let drawn = Int.random(in: sender.segmentBytes, using: &generator)
            let count = min(sender.unsent.count, window, max(1, drawn))
            guard count > 0 else { return }
            let bytes = sender.unsent.takeFirst(count)
            sender.transmitted += UInt64(count)
            receiver.incoming += count
            agenda.add(.segment(receiver, bytes, acknowledging: sender.arrived), at: departure(from: sender))
        }
        guard sender.sendingShut else { return }
        sender.finSent = true
        agenda.add(.finish(receiver, acknowledging: sender.arrived), at: departure(from: sender))
    }

    /// When something that leaves now arrives: after all that left before.
    private func departure(from sender: SimulatedSocket) -> UInt64 {
        let time = max(clock + drawLatency(), sender.lastArrival + 1)
        sender.lastArrival = time
        return time
    }

    private func arrive(_ bytes: [UInt8], at receiver: SimulatedSocket, acknowledging total: UInt64) {
        guard !receiver.isCut else { return }
        receiver.incoming -= bytes.count
        acknowledge(receiver, upTo: total)
        guard receiver.phase == .established else { return }
        if receiver.isClosed {
            // Nobody is left to read this: RFC 9293 section 3.10.7.1.
            sendReset(from: receiver)
            return
        }
        receiver.arrived += UInt64(bytes.count)
        receiver.unread.append(bytes.span)
        if let sender = receiver.other {
            agenda.add(.acknowledgement(sender, upTo: receiver.arrived), at: clock + drawLatency())
        }
        wake(receiver)
    }

    private func acknowledge(_ socket: SimulatedSocket, upTo total: UInt64) {
        guard !socket.isCut else { return }
        let hasNews = socket.acknowledge(upTo: total)
        pump(socket)
        if hasNews { wake(socket) }
    }

    private func finishArrives(at socket: SimulatedSocket, acknowledging total: UInt64) {
        guard !socket.isCut else { return }
        acknowledge(socket, upTo: total)
        guard socket.phase == .established else { return }
        socket.finArrived = true
        socket.receivingShut = true
        wake(socket)
    }

    // MARK: Ends

    /// What close(2) does: FIN after all that was sent, or RST when asked for or when bytes were left unread.
    func end(_ socket: SimulatedSocket, reset: Bool) {
        guard !socket.isClosed else { return }
        socket.isClosed = true
        switch socket.phase {
        case .connecting, .dead: socket.phase = .dead
        case .established:
            if reset || !socket.unread.isEmpty {
                sendReset(from: socket)
            } else {
                socket.sendingShut = true
                pump(socket)
            }
        }
        socket.unread.release()
    }

    func sendReset(from socket: SimulatedSocket) {
        socket.phase = .dead
        socket.unsent.release()
        guard let other = socket.other else { return }
        agenda.add(.reset(other), at: departure(from: socket))
    }

    private func resetArrives(at socket: SimulatedSocket) {
        guard !socket.isCut, socket.phase == .established else { return }
        socket.die(ECONNRESET)
        wake(socket)
    }

    /// An injected failure: the connection breaks under the worker's hands, and the peer hears of it.
    func lose(_ socket: SimulatedSocket, _ code: CInt) -> Transfer {
        if socket.phase == .established { sendReset(from: socket) }
        socket.die(code)
        socket.pendingError = 0
        socket.unread.release()
        wake(socket)
        return .failed(code)
    }

    /// From now on nothing passes between the two ends, in either direction, and neither is told.
    func cut(_ socket: SimulatedSocket) {
        for end in [socket, socket.other].compactMap({ $0 }) {
            end.isCut = true
            armRetransmission(end)
        }
    }

    /// tcp_retries2 is 15: bytes that are not acknowledged are sent again for 924.6 s at least, or for the user timeout,
    /// and then the connection is broken. With keep-alive the same happens where nothing is outstanding.
    private func armRetransmission(_ socket: SimulatedSocket) {
        guard socket.phase == .established, socket.peer == nil else { return }
        let userTimeout = UInt64(socket.tcp.userTimeout) * 1_000_000
        var longest = UInt64.max
        if socket.outstanding > 0 { longest = userTimeout > 0 ? userTimeout : 924_600_000_000 }
        if socket.tcp.keepAlive > 0 { longest = min(longest, max(userTimeout, 60_000_000_000)) }
        guard longest < .max, clock + longest < socket.givesUpAt else { return }
        socket.givesUpAt = clock + longest
        agenda.add(.givesUp(socket), at: socket.givesUpAt)
    }

    private func giveUp(_ socket: SimulatedSocket) {
        guard socket.phase == .established, socket.peer == nil, socket.isCut else { return }
        socket.die(ETIMEDOUT)
        wake(socket)
    }

    func wake(_ socket: SimulatedSocket) {
        if let descriptor = socket.descriptor { poller.wake(descriptor) }
        socket.peer?.socketChanged()
    }

    // MARK: Handshakes

    /// A worker's end of a connection.
    func makeSocket(
        _ phase: SimulatedSocket.Phase, remote: SocketAddress, tcp: TCPOptions
    ) -> SimulatedSocket {
        let socket = SimulatedSocket(
            phase: phase, remote: remote,
            sendCapacity: Int.random(in: conditions.sendBufferBytes, using: &generator),
            receiveCapacity: Int.random(in: conditions.receiveBufferBytes, using: &generator),
            segmentBytes: conditions.segmentBytes)
        socket.tcp = tcp
        return socket
    }

    /// A peer's end: its script may write what it likes at once.
    private func makePeerSocket(for peer: SimulatedPeer, remote: SocketAddress) -> SimulatedSocket {
        let socket = SimulatedSocket(
            phase: .established, remote: remote, sendCapacity: .max / 4,
            receiveCapacity: Int.random(in: conditions.peerReceiveBufferBytes, using: &generator),
            segmentBytes: peer.segmentBytes ?? conditions.segmentBytes)
        socket.peer = peer
        peer.socket = socket
        return socket
    }

    private func join(_ near: SimulatedSocket, _ peer: SimulatedPeer) {
        let far = makePeerSocket(for: peer, remote: near.remote)
        near.other = far
        far.other = near
        keep(near, peer)
    }

    private func dialArrives(_ near: SimulatedSocket, at address: SocketAddress) {
        guard near.phase == .connecting else { return }
        let answer = clock + drawLatency()
        switch receptions[address] {
        case .accepts(let arrange):
            let peer = SimulatedPeer(
                role: .server, network: self, address: address, target: .loopback(port: takePort()))
            join(near, peer)
            peer.socket?.lastArrival = answer
            agenda.add(.established(near), at: answer)
            arrange(peer)
            peer.open()
        case .swallows:
            // tcp_syn_retries is 6: 1 + 2 + 4 + ... + 64 s.
            agenda.add(.dialFails(near, ETIMEDOUT), at: clock + 127_000_000_000)
        case .refuses, .unreachable, nil:
            agenda.add(.dialFails(near, ECONNREFUSED), at: answer)
        }
    }

    private func establish(_ near: SimulatedSocket) {
        guard near.phase == .connecting else {
            // Closed meanwhile: the server's SYN-ACK meets nobody.
            if near.phase == .dead, near.other != nil { sendReset(from: near) }
            return
        }
        near.phase = .established
        wake(near)
    }

    private func dialFails(_ near: SimulatedSocket, _ code: CInt) {
        guard near.phase == .connecting else { return }
        near.die(code)
        wake(near)
    }

    /// A client's SYN arrives. A full backlog, or a listener that closes, drops it, and it comes again after 1, 2, 4 ... seconds.
    private func knock(_ peer: SimulatedPeer, attempt: Int) {
        guard peer.isConnecting else { return }
        guard let (descriptor, listener) = descriptors.listener(on: peer.target) else {
            peer.fail(ECONNREFUSED)
            return
        }
        guard !listener.refusesHandshakes, listener.backlog.count < conditions.backlog else {
            if attempt > 6 {
                peer.fail(ETIMEDOUT)
            } else {
                agenda.add(.knock(peer, attempt: attempt + 1), at: clock + 1_000_000_000 << UInt64(attempt - 1))
            }
            return
        }
        let near = makeSocket(.established, remote: peer.address, tcp: listener.tcp)
        join(near, peer)
        listener.backlog.append(near)
        poller.wake(descriptor)
        peer.open()
    }
}
