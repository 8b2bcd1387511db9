import Kernel
import Simulation

/// One client of a storm, with what it has asked for.
final class StormGuest {
    /// What a guest speaks, in clear or over TLS.
    enum Voice {
        case http1(ScriptedClient)
        case http2(ScriptedHTTP2Client)
        /// It never asks for anything whole.
        case mute(SimulatedPeer)
    }

    struct Asked {
        let tag: String
        let method: String
        let isStream: Bool
        /// 1 for requests to the upstream "other".
        let upstream: Int
        /// 0 in HTTP/1.1.
        var stream: UInt32 = 0
        var isAnswered = false
    }

    let voice: Voice
    var asked: [Asked] = []
    /// HTTP/1.1 responses that were judged.
    var answered = 0

    /// It takes what it is sent a little at a time: what is behind it on its connection may wait in vain.
    var readsSlowly = false

    init(_ voice: Voice) { self.voice = voice }

    var peer: SimulatedPeer {
        switch voice {
        case .http1(let client): client.peer
        case .http2(let client): client.peer
        case .mute(let peer): peer
        }
    }

    /// The proxy has ended the connection, or it broke.
    var isOver: Bool { peer.hasEnded || peer.isDone }

    /// It may ask for something now: everything is answered, or it speaks HTTP/2.
    var mayAsk: Bool {
        switch voice {
        case .http1: answered == asked.count
        case .http2(let client): client.takesRequests && client.openStreams < 12
        case .mute: false
        }
    }

    /// The first request that still waits for the end of its answer, event streams aside; nil if there is none.
    var waitsFor: String? {
        switch voice {
        case .mute: return nil
        case .http1: return asked.dropFirst(answered).first { !$0.isStream }?.tag
        case .http2(let client):
            // What GOAWAY says was not looked at is nobody's to answer.
            let last = client.goAways.last?.lastStream ?? .max
            return asked.first { !$0.isAnswered && !$0.isStream && $0.stream <= last }?.tag
        }
    }
}
