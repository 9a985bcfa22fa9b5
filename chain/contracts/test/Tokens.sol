// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

// A token as badly made as tokens come, with the fault of its kind. Not an ERC20 by type: some kinds answer nothing.
contract Token {
    enum Kind {
        GOOD,
        ANSWERS_NOTHING,
        ANSWERS_FALSE,
        REVERTS,
        TAKES_A_FEE,
        CALLS_BACK,
        ROBS
    }
    struct Call {
        address to;
        bytes data;
    }

    Kind public immutable kind;
    mapping(address who => uint256) public balanceOf;
    uint256 public feesTaken;
    uint256 public callsDone;
    Call[] private _calls;

    constructor(Kind kind_) {
        kind = kind_;
    }

    function make(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    // What to call from inside the next transfer; the last one asked for comes first.
    function callBack(address to, bytes calldata data) external {
        _calls.push(Call(to, data));
    }

    function pending() external view returns (uint256) {
        return _calls.length;
    }

    function refuses() external view returns (bool) {
        return kind == Kind.ANSWERS_FALSE || kind == Kind.REVERTS;
    }

    function transfer(address to, uint256 amount) external {
        if (kind == Kind.ANSWERS_FALSE) _answer(0);
        require(kind != Kind.REVERTS, "frozen");
        while (kind == Kind.CALLS_BACK && _calls.length > 0) {
            Call memory next = _calls[_calls.length - 1];
            _calls.pop();
            callsDone++;
            (bool done, bytes memory reason) = next.to.call(next.data);
            if (!done) assembly ("memory-safe") { revert(add(reason, 32), mload(reason)) }
        }
        // One that called back may have been emptied meanwhile: it pays what is left, as some tokens do.
        if (amount > balanceOf[msg.sender]) amount = balanceOf[msg.sender];
        uint256 fee = kind == Kind.TAKES_A_FEE ? amount / 100 : 0;
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount - fee;
        feesTaken += fee;
        if (kind == Kind.ROBS) balanceOf[to] = 0;
        if (kind != Kind.ANSWERS_NOTHING) _answer(1);
    }

    function _answer(uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(0, word)
            return(0, 32)
        }
    }
}
