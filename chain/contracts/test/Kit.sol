// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

// What the tests use of forge, and nothing more: calls to an address that forge listens at.
interface Vm {
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function prank(address from) external;
    function warp(uint256 timestamp) external;
    function roll(uint256 number) external;
    function chainId(uint256 id) external;
    function deal(address who, uint256 ether_) external;
    function expectRevert(bytes calldata data) external;
    function expectEmit(address from) external;
    function assume(bool condition) external pure;
    function assertTrue(bool yes, string calldata why) external pure;
    function assertEq(uint256 left, uint256 right, string calldata why) external pure;
    function assertEq(address left, address right, string calldata why) external pure;
    function assertEq(bytes32 left, bytes32 right, string calldata why) external pure;
    function assertEq(string calldata left, string calldata right, string calldata why) external pure;
    function assertLe(uint256 left, uint256 right, string calldata why) external pure;
}

abstract contract Kit {
    // What forge's invariant runs ask a test for.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    // A stranger's number, brought between two bounds.
    function within(uint256 x, uint256 least, uint256 most) internal pure returns (uint256) {
        return least + x % (most - least + 1);
    }

    function one(bytes32 a) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = a;
    }

    function salts(uint256 from, uint256 count) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) list[i] = bytes32(from + i);
    }

    function selectorOf(bytes memory reason) internal pure returns (bytes4 selector) {
        if (reason.length >= 4) assembly ("memory-safe") { selector := mload(add(reason, 32)) }
    }
}
