import Kernel
import Simulation
import Telemetry

/// What answers in a storm must be like.
extension Storm {
    func judge(_ guest: StormGuest) {
        switch guest.voice {
        case .mute: break
        case .http1(let client): judge(guest, client)
        case .http2(let client): judge(guest, client)
        }
    }

    private func judge(_ guest: StormGuest, _ client: ScriptedClient) {
        if client.isBroken { return note("broken bytes", guest) }
        let responses = client.responses
        while guest.answered < responses.count {
            let response = responses[guest.answered]
            if guest.answered < guest.asked.count {
                judge(response, guest.asked[guest.answered], guest)
            } else if response.status != 408 {
                // One refusal more may come for what was no request.
                note("an answer too many: \(response.startLine)", guest)
            }
            guest.answered += 1
        }
        if guest.answered < guest.asked.count { judge(client.current, guest.asked[guest.answered], guest) }
    }

    private func judge(_ guest: StormGuest, _ client: ScriptedHTTP2Client) {
        if client.isBroken { return note("broken frames", guest) }
        if let code = client.goAways.map(\.code).first(where: { $0 != 0 }) {
            let counters = AbuseCounter.allCases.filter { stage.metrics.view.load($0) > 0 }
            note("GOAWAY with code \(code), \(counters)", guest)
        }
        for index in guest.asked.indices where !guest.asked[index].isAnswered {
            let stream = client[guest.asked[index].stream]
            if stream.isOver { guest.asked[index].isAnswered = true }
            if stream.isCancelled { continue }
            judge(stream.response, guest.asked[index], guest)
            if let code = stream.reset, !stream.response.isComplete, !mayReset(stream.response, code, guest) {
                note("\(guest.asked[index].tag) was reset with code \(code)", guest)
            }
        }
    }

    /// A response that broke off ends with INTERNAL_ERROR, one that the client's window held up with CANCEL; where the
    /// client reads slowly its head may not have got through either.
    private func mayReset(_ response: Message, _ code: UInt32, _ guest: StormGuest) -> Bool {
        (response.hasHead && (code == 2 || code == 8)) || (guest.readsSlowly && code == 8)
    }

    private func judge(_ response: Message, _ asked: StormGuest.Asked, _ guest: StormGuest) {
        guard response.hasHead else { return }
        if response.isComplete { answers[response.status, default: 0] += 1 }
        guard response.status == 200 else {
            if ![404, 408, 502, 503, 504].contains(response.status), response.status != 409 || !asked.isStream {
                note("status \(response.startLine) for \(asked.tag)", guest)
            }
            return
        }
        guard response["x-tag"] == asked.tag else {
            return note("\(asked.tag) got \(response["x-tag"] ?? "none")", guest)
        }
        if asked.isStream {
            let events = response.text.replacing(":\n\n", with: "").split(separator: "\n\n")
            if events.dropLast().contains(where: { $0 != "data: \(asked.tag)" }) { note("events \(events)", guest) }
        } else if asked.method != "HEAD" {
            judgeBody(response, asked, guest)
        }
        if response.isComplete, let id = response["mcp-session-id"], sessions.count < 50 {
            sessions.append((id, asked.upstream))
        }
    }

    private func judgeBody(_ response: Message, _ asked: StormGuest.Asked, _ guest: StormGuest) {
        let whole = Storm.body(of: asked.tag, response.body.count)
        if !whole.hasPrefix(response.text) { note("the body of \(asked.tag)", guest) }
        if response.isComplete, response.body.count != Int(response["x-length"] ?? "") {
            note("the length of \(asked.tag)", guest)
        }
    }
}
